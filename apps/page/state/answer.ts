import type { AnswerEvent, CitationEvent, EndEvent, Hit, SearchSummary } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { filterOf } from "./filter.ts";
import { counted } from "./format.ts";
import { perFrame } from "./frame.ts";
import { Remembered } from "./remembered.ts";
import type { SearchOptions } from "./route.ts";
import { server } from "./server.ts";

/** What the sources of a text are shown from. */
export interface CitedAnswer {
  readonly text: string;
  readonly citations: readonly CitationEvent[];
  /** What a citation's `source` counts in; empty where only the citations were kept. */
  readonly hits: readonly Hit[];
}

/** An answer as it stands. */
export interface Answer extends CitedAnswer {
  readonly question: string;
  readonly phase: "searching" | "writing" | "done" | "stopped" | "failed";
  readonly summary: SearchSummary | undefined;
  readonly end: EndEvent | undefined;
  readonly fault: Fault | undefined;
}

/** The answer that is shown; undefined before the first. */
export const answer = signal<Answer | undefined>(undefined);

const remembered = new Remembered<Answer>(20);
let current: { key: string; controller: AbortController } | undefined;

/** Shows the answer to a question: one that is still known at once, any other from the server. */
export function showAnswer(question: string, options: SearchOptions, again = false): void {
  const key = JSON.stringify([question, options.mediaTypes, options.attributes]);
  if (current?.key === key && !again) return;
  leaveAnswer();
  if (question.trim() === "") {
    answer.value = undefined;
    return;
  }
  const known = again ? undefined : remembered.get(key);
  const controller = new AbortController();
  current = { key, controller };
  if (known) answer.value = known;
  else void run(key, question, options, controller.signal);
}

/** Ends the stream; the server then stops the model. What has come stays. */
export function stopAnswer(): void {
  current?.controller.abort();
  const shown = answer.peek();
  if (shown?.phase === "searching" || shown?.phase === "writing") {
    answer.value = { ...shown, phase: "stopped" };
    announce("Stopped.");
  }
}

/** Ends the stream, as when the reader goes elsewhere: coming back asks anew. */
export function leaveAnswer(): void {
  const running = answer.peek()?.phase === "searching" || answer.peek()?.phase === "writing";
  current?.controller.abort();
  current = undefined;
  if (running) answer.value = undefined;
}

async function run(key: string, question: string, options: SearchOptions, signal: AbortSignal) {
  let now: Answer = {
    question,
    phase: "searching",
    text: "",
    citations: [],
    hits: [],
    summary: undefined,
    end: undefined,
    fault: undefined,
  };
  const show = perFrame(() => {
    if (!signal.aborted) answer.value = now;
  });
  show();
  const filter = filterOf(options);
  try {
    for await (const event of server.answer(question, { signal, ...(filter ? { filter } : {}) })) {
      now = withAnswerEvent(now, event);
      show();
    }
    remembered.set(key, now);
    announce(
      now.end?.reason === "no_support"
        ? "The documents do not say."
        : `The answer is there, with ${counted(now.citations.length, "citation")}.`,
    );
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (!fault) return;
    now = { ...now, phase: "failed", fault };
    show();
  }
}

export function withAnswerEvent(before: Answer, event: AnswerEvent): Answer {
  switch (event.type) {
    case "passages":
      return { ...before, phase: "writing", hits: event.hits, summary: event.summary };
    case "text":
      return { ...before, text: before.text + event.text };
    case "citation":
      return { ...before, citations: [...before.citations, event] };
    case "end":
      return { ...before, phase: "done", end: event };
  }
}
