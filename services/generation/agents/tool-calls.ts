import { HeadwaterError } from "@headwater/errors";
import type { ToolCall } from "@headwater/language-model";
import { untilAborted } from "@headwater/resilience";
import { bulkhead } from "cockatiel";
import { neutralize } from "../answer/prompt.ts";
import type { ToolContext, ToolOutcome } from "../tools/tool.ts";
import type { TurnEvent } from "../turns/turn.ts";
import type { AgentTool } from "./agent-tools.ts";
import type { CheckArguments } from "./call-arguments.ts";
import { cutToTokens } from "./quotation.ts";
import type { Repetition, RepetitionGuard } from "./repetition.ts";
import { callKey } from "./repetition.ts";
import type { CallResult } from "./transcript.ts";

export interface ToolCallOptions {
  readonly tools: readonly AgentTool[];
  readonly check: CheckArguments;
  readonly repetitions: RepetitionGuard;
  readonly context: Omit<ToolContext, "cite" | "signal">;
  /** Numbers hits, and tells of those that are new. */
  readonly cite: (hits: Parameters<ToolContext["cite"]>[0], emit: (event: TurnEvent) => void) => number[];
  /** Asks a person; the clock of the agent's limits stands still meanwhile. */
  readonly approve: (callId: string, deadline: Date) => Promise<boolean>;
  /** Fires when the turn ends, or its time for tools is over. */
  readonly signal: AbortSignal;
  readonly toolTimeoutMs: number;
  readonly approvalTimeoutMs: number;
  /** Tokens that one result may have. */
  readonly resultTokens: number;
}

export interface CallsOutcome {
  /** In order of the calls. */
  readonly results: readonly CallResult[];
  /** True: the model was told that it goes in a circle, and went on. */
  readonly loop: boolean;
}

/** Calls of one step that run side by side. */
const sideBySide = 4;
/** Calls of one step; a model that asks for more is told so. */
const mostCalls = 16;

/** A call, once it is known what is to come of it: it is run, or `problem` is told to the model. */
interface Prepared {
  readonly call: ToolCall;
  readonly key: string;
  readonly repetition: Repetition;
  readonly run?: { readonly agentTool: AgentTool; readonly input: Readonly<Record<string, unknown>> };
  readonly problem?: string;
}

/**
 * Runs the calls of one step side by side and streams what happens: approvals that are waited for, passages as they are
 * found, and the results in the order of the calls. Whatever goes wrong with a call becomes its result, in words that
 * help the model; only the end of the turn throws.
 */
export async function* runToolCalls(
  calls: readonly ToolCall[],
  options: ToolCallOptions,
): AsyncGenerator<TurnEvent, CallsOutcome> {
  const prepared = calls.map((call, index) => prepare(call, index, options));
  const deadline = new Date(Date.now() + options.approvalTimeoutMs);
  const waiting = new Set(
    prepared.flatMap(({ call, run }) => (run?.agentTool.needsApproval ? [call.id] : [])),
  );
  for (const callId of waiting) yield { $case: "approval", value: { callId, deadline } };

  const news = createNews();
  const slots = bulkhead(sideBySide, mostCalls);
  const running = prepared.map(async (one): Promise<Finished> => {
    const { call, problem = "", run } = one;
    if (!run) return { call, text: problem, failed: true, truncated: false, elapsedMs: 0 };
    if (waiting.has(call.id) && !(await options.approve(call.id, deadline))) {
      return { call, text: refused, failed: true, truncated: false, elapsedMs: 0 };
    }
    return await slots.execute(() => runOne(call, run, options, news.tell));
  });
  // One that fails while an earlier one is awaited is thrown when its turn comes.
  for (const one of running) one.catch(() => {});

  const results: CallResult[] = [];
  for (const [index, one] of running.entries()) {
    yield* news.until(one);
    const { elapsedMs, ...result } = await one;
    const { key, repetition } = prepared[index] ?? {};
    // What stands in place of a result is none.
    if (key !== undefined && repetition === "new") options.repetitions.record(key, result.text);
    results.push(result);
    const { text, failed, truncated } = result;
    yield {
      $case: "toolResult",
      value: { callId: result.call.id, text: text.slice(0, maxShown), failed, truncated, elapsedMs },
    };
  }
  return { results, loop: prepared.some(({ repetition }) => repetition === "loop") };
}

interface Finished extends CallResult {
  readonly elapsedMs: number;
}

/** Of a result, in code units; what the model reads is bounded by tokens. */
const maxShown = 32_768;
const refused =
  "The person did not approve this call. Do not make it again; go on without it, or say what you could not do.";
const circle =
  "This call was made before, with the same result, which you have. Do something else, or answer with what you know.";

function prepare(call: ToolCall, index: number, options: ToolCallOptions): Prepared {
  const { tools, check, repetitions } = options;
  const found = tools.find(({ tool }) => tool.name === call.name);
  const checked = found ? check(found.tool, call.arguments) : undefined;
  const key = callKey(call.name, checked?.ok ? checked.input : call.arguments);
  const repetition = repetitions.judge(key);
  if (index >= mostCalls) {
    return {
      call,
      key,
      repetition,
      problem: `Call at most ${mostCalls} tools at once; this one was not run.`,
    };
  }
  if (repetition !== "new") return { call, key, repetition, problem: circle };
  if (!found || !checked) {
    const names = tools.map(({ tool }) => tool.name).join(", ");
    const problem =
      names === "" ? "There are no tools: answer." : `There is no tool of that name. There are: ${names}.`;
    return { call, key, repetition, problem };
  }
  if (!checked.ok) return { call, key, repetition, problem: checked.problem };
  return { call, key, repetition, run: { agentTool: found, input: checked.input } };
}

async function runOne(
  call: ToolCall,
  { agentTool, input }: NonNullable<Prepared["run"]>,
  options: ToolCallOptions,
  emit: (event: TurnEvent) => void,
): Promise<Finished> {
  const started = performance.now();
  const timeout = AbortSignal.timeout(options.toolTimeoutMs);
  const signal = AbortSignal.any([options.signal, timeout]);
  let over = false;
  const context: ToolContext = {
    ...options.context,
    signal,
    // A tool that was given up on must not add to an answer that is being written.
    cite: (hits) => (over ? hits.map(() => 0) : options.cite(hits, emit)),
  };
  // Also where the tool does not listen to its signal.
  const outcome = await untilAborted(agentTool.tool.run(input, context), signal).catch(
    (thrown: unknown): ToolOutcome => {
      if (options.signal.aborted)
        return { text: "The turn's time was over before the tool was done.", failed: true };
      const problem = timeout.aborted
        ? `The tool did not answer within ${options.toolTimeoutMs} ms.`
        : messageOf(HeadwaterError.from(thrown));
      return { text: problem, failed: true };
    },
  );
  over = true;
  const { text, truncated } = cutToTokens(neutralize(outcome.text), options.resultTokens);
  return { call, text, failed: outcome.failed, truncated, elapsedMs: performance.now() - started };
}

function messageOf({ message, action }: HeadwaterError): string {
  return action === "" ? `The tool failed: ${message}` : `The tool failed: ${message} ${action}`;
}

/** Events that tools tell of while somebody waits for their results. */
function createNews() {
  const told: TurnEvent[] = [];
  let wake = Promise.withResolvers<void>();
  return {
    tell(event: TurnEvent): void {
      told.push(event);
      wake.resolve();
    },
    /** Streams what is told until `work` is done. */
    async *until(work: Promise<unknown>): AsyncGenerator<TurnEvent> {
      const state = { done: false };
      const finished = work.then(
        () => {
          state.done = true;
        },
        () => {
          state.done = true;
        },
      );
      while (true) {
        yield* told.splice(0);
        if (state.done) return;
        await Promise.race([finished, wake.promise]);
        wake = Promise.withResolvers<void>();
      }
    },
  };
}
