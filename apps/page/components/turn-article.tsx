import { copyOf, partsOf } from "../state/answer-copy.ts";
import { numberSources } from "../state/answer-text.ts";
import { goOn } from "../state/chat.ts";
import type { Turn } from "../state/chat-turn.ts";
import { endNotes } from "../state/chat-turn.ts";
import { count, milliseconds } from "../state/format.ts";
import { AnswerBody } from "./answer-body.tsx";
import { CopyButton } from "./copy-button.tsx";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { OtherPassages, SourceList } from "./source-list.tsx";
import { TurnMemory } from "./turn-memory.tsx";
import { TurnRating } from "./turn-rating.tsx";
import { TurnSteps } from "./turn-steps.tsx";

export interface TurnArticleProps {
  readonly turn: Turn;
  /** Asks the same again; undefined: not now. */
  readonly onRetry: (() => void) | undefined;
  readonly onFork: () => void;
}

/** A question and its answer, with all that happened in between. */
export function TurnArticle({ turn, onRetry, onFork }: TurnArticleProps) {
  const { question, phase, text, end, standaloneQuestion } = turn;
  const parts = partsOf(turn);
  const numbers = numberSources(parts);
  const running = phase === "running";
  return (
    <article class="turn" aria-label={question}>
      {question !== "" && <p class="turn-question">{question}</p>}
      {standaloneQuestion !== "" && standaloneQuestion !== question && (
        <p class="turn-searched">Searched as: {standaloneQuestion}</p>
      )}
      <TurnSteps turn={turn} />
      {running && text === "" && <p class="turn-wait">{waitingFor(turn)}</p>}
      {text !== "" && <AnswerBody answer={turn} writing={running} parts={parts} numbers={numbers} />}
      <TurnEndNote turn={turn} onRetry={onRetry} />
      {phase === "ended" && (
        <>
          <SourceList answer={turn} numbers={numbers} />
          {end?.reason === "no_support" && <OtherPassages answer={turn} numbers={numbers} open={false} />}
        </>
      )}
      <TurnMemory turn={turn} />
      {phase === "ended" && (
        <div class="turn-foot">
          <div class="answer-actions">
            {text !== "" && <CopyButton text={() => copyOf(turn)}>Copy</CopyButton>}
            {onRetry && (
              <button type="button" class="button button-plain" onClick={onRetry}>
                <Icon name="retry" />
                <span>Ask again</span>
              </button>
            )}
            {turn.messageId !== "" && (
              <button type="button" class="button button-plain" onClick={onFork}>
                <Icon name="fork" />
                <span>Fork from here</span>
              </button>
            )}
            {turn.messageId !== "" && <TurnRating turn={turn} />}
          </div>
          <TurnFacts turn={turn} />
        </div>
      )}
    </article>
  );
}

function waitingFor({ steps, hits }: Turn): string {
  const last = steps.at(-1);
  // A call that runs or waits for approval says so itself.
  if (last?.type === "call" && !last.result) return "";
  if (last) return "Thinking …";
  return hits.length > 0 ? "Reading …" : "Searching the documents …";
}

function TurnEndNote({ turn, onRetry }: { turn: Turn; onRetry: (() => void) | undefined }) {
  const { end, fault, phase } = turn;
  if (phase === "cut-off") {
    const retry = turn.turnId === "" ? onRetry : () => void goOn(turn);
    return <FaultNote fault={fault} {...(retry ? { onRetry: retry } : {})} />;
  }
  if (phase === "running") return null;
  if (!end) return <p class="note note-warning">No answer was kept.</p>;
  if (end.error)
    return (
      <FaultNote
        fault={{ ...end.error, transient: false, retryAfterMs: undefined }}
        {...(onRetry ? { onRetry } : {})}
      />
    );
  const note = endNotes[end.reason];
  return note ? <p class="note note-warning">{note}</p> : null;
}

/** Small print: which model wrote it, how long it took, what it used. */
function TurnFacts({ turn: { end } }: { turn: Turn }) {
  if (!end) return null;
  const { model, usage, milliseconds: taken, steps, prompt } = end;
  const tokens = usage.inputTokens + usage.outputTokens;
  const facts = [
    model,
    taken["total"] !== undefined && milliseconds(taken["total"]),
    taken["first_token"] !== undefined && `first words after ${milliseconds(taken["first_token"])}`,
    steps > 0 && `${steps} ${steps === 1 ? "step" : "steps"}`,
    tokens > 0 && `${count(usage.inputTokens)} tokens read, ${count(usage.outputTokens)} written`,
    usage.cost > 0 && `$${usage.cost.toFixed(usage.cost < 0.01 ? 5 : 3)}`,
    prompt && `prompt ${prompt.name}, ${prompt.version === 0 ? "built in" : `version ${prompt.version}`}`,
  ];
  return <p class="turn-facts">{facts.filter(Boolean).join(" · ")}</p>;
}
