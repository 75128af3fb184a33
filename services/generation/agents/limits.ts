import type { ModelUsage } from "@headwater/language-model";
import type { AgentLimits } from "@headwater/proto/services/headwater/v1/agent";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";

/** What the next model call will take, as far as it can be told before. */
export interface Forecast {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What is left of an agent's limits. */
export interface Limits {
  /** Model calls so far. */
  readonly steps: number;
  readonly usage: ModelUsage;
  /** Fires when it is time to come to an end: what is under way is broken off, one last call may still be made. */
  readonly wrapUp: AbortSignal;
  /** Fires when the time is over. */
  readonly over: AbortSignal;
  /** Why there may be no further step with tools; undefined: there may. */
  reached(next: Forecast): TurnEndReason | undefined;
  /** Tokens that a last call without tools may write; 0: there may be none. */
  lastCallTokens(next: Forecast): number;
  /** A model call begins. */
  step(): void;
  /** What a model call used. */
  spend(usage: ModelUsage): void;
  /** Stops the clock while `waiting`: people may take their time. */
  untimed<T>(waiting: Promise<T>): Promise<T>;
  close(): void;
}

/** Share of the seconds that is kept for the last answer, and its most in milliseconds. */
const lastShare = 0.2;
const lastMostMs = 15_000;
/** An answer of fewer tokens is none. */
const shortestAnswer = 64;

/**
 * Steps, tokens, seconds and cost. A step with tools is allowed only where enough is left for the last call that has to
 * follow it, so that an agent at its limit still answers from what it has.
 */
export function createLimits(limits: AgentLimits): Limits {
  const wrapUp = new AbortController();
  const over = new AbortController();
  const totalMs = limits.maxSeconds * 1000;
  const clock = createAlarms([
    { atMs: totalMs - Math.min(totalMs * lastShare, lastMostMs), ring: () => wrapUp.abort() },
    { atMs: totalMs, ring: () => over.abort() },
  ]);
  let steps = 0;
  let usage: ModelUsage = { inputTokens: 0, outputTokens: 0, cost: 0 };
  const spent = () => usage.inputTokens + usage.outputTokens;
  /** Dollars, by what a token cost so far. */
  const costOf = ({ inputTokens, outputTokens }: Forecast) =>
    spent() === 0 ? 0 : (usage.cost / spent()) * (inputTokens + outputTokens);

  return {
    get steps() {
      return steps;
    },
    get usage() {
      return usage;
    },
    wrapUp: wrapUp.signal,
    over: over.signal,
    reached(next) {
      const tokens = next.inputTokens + next.outputTokens;
      if (steps + 1 >= limits.maxSteps) return TurnEndReason.STEP_LIMIT;
      if (spent() + 2 * tokens > limits.maxTokens) return TurnEndReason.TOKEN_LIMIT;
      if (wrapUp.signal.aborted) return TurnEndReason.TIME_LIMIT;
      if (limits.maxCost > 0 && usage.cost + 2 * costOf(next) > limits.maxCost)
        return TurnEndReason.COST_LIMIT;
      return undefined;
    },
    lastCallTokens(next) {
      const left = Math.min(next.outputTokens, limits.maxTokens - spent() - next.inputTokens);
      const dear = limits.maxCost > 0 && usage.cost + costOf(next) > limits.maxCost;
      if (steps >= limits.maxSteps || over.signal.aborted || dear || left < shortestAnswer) return 0;
      return left;
    },
    step() {
      steps += 1;
    },
    spend(more) {
      usage = {
        inputTokens: usage.inputTokens + more.inputTokens,
        outputTokens: usage.outputTokens + more.outputTokens,
        cost: usage.cost + more.cost,
      };
    },
    untimed: clock.untimed,
    close: clock.close,
  };
}

interface Alarm {
  readonly atMs: number;
  readonly ring: () => void;
}

/** A clock that can be stopped, several times over. */
function createAlarms(alarms: readonly Alarm[]) {
  let elapsed = 0;
  let runningSince = performance.now();
  let stops = 0;
  let timers: NodeJS.Timeout[] = [];
  const stop = () => {
    elapsed += performance.now() - runningSince;
    for (const timer of timers) clearTimeout(timer);
    timers = [];
  };
  const start = () => {
    runningSince = performance.now();
    timers = alarms.map(({ atMs, ring }) => setTimeout(ring, Math.max(0, atMs - elapsed)));
  };
  start();
  return {
    async untimed<T>(waiting: Promise<T>): Promise<T> {
      if (stops === 0) stop();
      stops += 1;
      try {
        return await waiting;
      } finally {
        stops -= 1;
        if (stops === 0) start();
      }
    },
    close: stop,
  };
}
