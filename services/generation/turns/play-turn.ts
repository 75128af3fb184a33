import { HeadwaterError, status } from "@headwater/errors";
import type { ModelUsage } from "@headwater/language-model";
import type { DeepPartial, TurnEnd } from "@headwater/proto/services/headwater/v1/conversation";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import type { Memory, MemoryDecision } from "@headwater/proto/services/headwater/v1/memory";
import type { TurnMemory } from "../memory/memory.ts";
import type { History } from "./history.ts";
import { noUsage, sumUsage } from "./model-text.ts";
import { standaloneQuestion } from "./standalone-question.ts";
import type { RunTurn, StepEvent, Turn, TurnContext, TurnEvent } from "./turn.ts";
import { toTurnError } from "./turn-errors.ts";

/** A turn before anything is known of its history. */
export interface TurnTask extends Omit<Turn, "history" | "memories" | "standaloneQuestion"> {
  /** Of the answer's message. */
  readonly messageId: string;
  /** Empty: none. */
  readonly agentId: string;
  readonly run: RunTurn;
  /** Undefined: the turn neither reads nor writes it. */
  readonly memory: TurnMemory | undefined;
  history(signal: AbortSignal): Promise<Pick<History, "messages" | "usage">>;
  /** Something failed that the turn does without: "memory", "rewriting". */
  onDegraded(what: string, thrown: unknown): void;
}

type End = DeepPartial<TurnEnd>;

/**
 * All events of a turn, from `started` to `end`. Does not throw: a turn that fails or is cancelled says so in its end.
 * Aborting with a HeadwaterError fails the turn for that reason; any other abort cancels it.
 */
export async function* playTurn(task: TurnTask, context: TurnContext): AsyncGenerator<StepEvent> {
  const clock = performance.now();
  const milliseconds: Record<string, number> = {};
  const spent: ModelUsage[] = [];
  let started = false;
  let end: End;
  try {
    const { turn, usage } = await prepare(task, milliseconds, context.signal);
    spent.push(...usage);
    started = true;
    yield outside(startedEvent(task, turn.standaloneQuestion));
    const memories = await recall(task, turn, milliseconds, context.signal);
    if (memories.length > 0) yield outside({ $case: "recalled", value: { memories: [...memories] } });
    const answered = yield* answer(task.run, { ...turn, memories }, context);
    end = answered.end;
    const decisions = await observe(task, answered.text, milliseconds, context.signal);
    if (decisions.length > 0) yield outside({ $case: "remembered", value: { decisions: [...decisions] } });
  } catch (thrown) {
    if (!started) yield outside(startedEvent(task, ""));
    end = endOfFailure(thrown, context.signal);
  }
  milliseconds["total"] = performance.now() - clock;
  const usage = sumUsage(...spent, end.usage);
  yield outside({
    $case: "end",
    value: { ...end, usage, milliseconds: { ...end.milliseconds, ...milliseconds } },
  });
}

async function prepare(
  task: TurnTask,
  milliseconds: Record<string, number>,
  signal: AbortSignal,
): Promise<{ turn: Turn; usage: ModelUsage[] }> {
  const clock = performance.now();
  const history = await task.history(signal);
  milliseconds["history"] = performance.now() - clock;
  const { question, usage = noUsage } = await standaloneQuestion(
    task.message,
    history.messages,
    task.model,
    (thrown) => task.onDegraded("rewriting", thrown),
    signal,
  );
  if (history.messages.length > 0)
    milliseconds["rewrite"] = performance.now() - clock - milliseconds["history"];
  const turn: Turn = { ...task, history: history.messages, standaloneQuestion: question, memories: [] };
  return { turn, usage: [history.usage, usage] };
}

function startedEvent(task: TurnTask, question: string): TurnEvent {
  const { id: turnId, conversationId, messageId, agentId, message } = task;
  const standaloneQuestion = question === message ? "" : question;
  return { $case: "started", value: { turnId, conversationId, messageId, agentId, standaloneQuestion } };
}

async function recall(
  { memory, onDegraded }: TurnTask,
  turn: Turn,
  milliseconds: Record<string, number>,
  signal: AbortSignal,
): Promise<readonly Memory[]> {
  if (!memory) return [];
  const clock = performance.now();
  try {
    return await memory.recall(turn, turn.standaloneQuestion, signal);
  } catch (thrown) {
    signal.throwIfAborted();
    onDegraded("memory", thrown);
    return [];
  } finally {
    milliseconds["recall"] = performance.now() - clock;
  }
}

async function observe(
  { memory, onDegraded, ...task }: TurnTask,
  answered: string,
  milliseconds: Record<string, number>,
  signal: AbortSignal,
): Promise<readonly MemoryDecision[]> {
  if (!memory) return [];
  const clock = performance.now();
  try {
    return await memory.observe({ ...task, answer: answered }, signal);
  } catch (thrown) {
    // The answer is there: whoever cancels now ends the turn, and not the answer.
    onDegraded("memory", thrown);
    return [];
  } finally {
    milliseconds["remember"] = performance.now() - clock;
  }
}

/** Streams what the runner says, and keeps its end back. */
async function* answer(
  run: RunTurn,
  turn: Turn,
  context: TurnContext,
): AsyncGenerator<StepEvent, { text: string; end: End }> {
  const pieces: string[] = [];
  let end: End | undefined;
  for await (const step of run(turn, context)) {
    context.signal.throwIfAborted();
    if (step.event.$case === "end") end = step.event.value ?? {};
    else yield step;
    if (step.event.$case === "text") pieces.push(step.event.value?.text ?? "");
  }
  context.signal.throwIfAborted();
  if (!end) throw new TypeError("the runner of the turn stopped without an end");
  return { text: pieces.join(""), end };
}

/** How a turn ends that threw. */
export function endOfFailure(thrown: unknown, signal: AbortSignal): DeepPartial<TurnEnd> {
  if (signal.aborted && !(signal.reason instanceof HeadwaterError))
    return { reason: TurnEndReason.CANCELLED };
  const error = HeadwaterError.from(signal.aborted ? signal.reason : thrown);
  if (error.code === status.CANCELLED) return { reason: TurnEndReason.CANCELLED };
  return { reason: TurnEndReason.FAILED, error: toTurnError(error) };
}

function outside(event: TurnEvent): StepEvent {
  return { step: 0, event };
}
