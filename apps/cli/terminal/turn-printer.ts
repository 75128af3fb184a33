import type { ChatEvent, CitationEvent } from "@headwater/client";
import type { Output } from "./output.ts";
import { bold, cyan, dim, red } from "./output.ts";
import { printSources } from "./sources.ts";

/** Code units of a tool's result that are shown; the rest is for the model. */
const shownResult = 400;

/** Prints a turn as it happens: steps, the answer with its sources, what was remembered. */
export class TurnPrinter {
  readonly #output: Output;
  readonly #citations: CitationEvent[] = [];
  /** Kind of the piece that was written last, without its line end. */
  #open: "answer" | "thought" | undefined;

  constructor(output: Output) {
    this.#output = output;
  }

  print(event: ChatEvent): void {
    const output = this.#output;
    if (output.json) {
      output.value(event);
      return;
    }
    switch (event.type) {
      case "started":
        if (event.standaloneQuestion) output.note(dim(`searched as: ${event.standaloneQuestion}`));
        return;
      case "recalled":
        for (const { text } of event.memories) output.note(dim(`remembered: ${text}`));
        return;
      case "thought":
        this.#write("thought", dim(event.text));
        return;
      case "tool_call":
        this.#close();
        output.line(`${cyan(`→ ${event.tool}`)} ${dim(event.arguments)}`);
        return;
      case "approval":
        output.line(bold(`? ${event.callId} waits for approval`));
        return;
      case "tool_result":
        output.line(event.failed ? red(`← ${shorten(event.text)}`) : dim(`← ${shorten(event.text)}`));
        return;
      case "text":
        this.#write("answer", event.text);
        return;
      case "citation":
        this.#citations.push(event);
        return;
      case "remembered":
        for (const { statement, action, surprise } of event.decisions)
          output.note(dim(`memory, ${action} (surprise ${surprise.toFixed(2)}): ${statement}`));
        return;
      case "passages":
        return;
      case "end":
        this.#end(event);
    }
  }

  #end(event: Extract<ChatEvent, { type: "end" }>): void {
    this.#close();
    printSources(this.#output, this.#citations);
    if (event.error) this.#output.line(red(`${event.error.message} [${event.error.reason}]`));
    const why = event.reason === "complete" ? "" : ` · ${event.reason.replaceAll("_", " ")}`;
    const steps = event.steps > 0 ? ` · ${event.steps} steps` : "";
    const ms = Math.round(event.milliseconds["total"] ?? 0);
    this.#output.note(dim(`\n${event.model} · ${ms} ms${steps}${why}`));
  }

  #write(kind: "answer" | "thought", text: string): void {
    if (this.#open !== kind) this.#close();
    this.#open = kind;
    this.#output.write(text);
  }

  #close(): void {
    if (this.#open) this.#output.line();
    this.#open = undefined;
  }
}

function shorten(text: string): string {
  const flat = text.replaceAll(/\s+/g, " ").trim();
  return flat.length > shownResult ? `${flat.slice(0, shownResult).toWellFormed()} …` : flat;
}
