import type { DescMethod } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { HeadwaterClientError } from "@headwater/client";

/** Reasons by which a server says that it takes no more calls of a method, whoever calls. */
const overloaded: ReadonlySet<string> = new Set(["HW_SEARCH_OVERLOADED"]);

/** Milliseconds after which a few calls more are tried, or a tenth more of many: the server may have room again. */
const trialMs = 250;
const trialCalls = 4;
const trialShare = 0.1;

interface Refusal {
  readonly error: unknown;
  /** Calls that the server kept when it refused. */
  readonly kept: number;
  /** By the clock. */
  readonly at: number;
}

/**
 * What a server refused a moment ago, which it need not be asked to refuse again while it has as many calls: in
 * overload its refusals, and the calls that wait for them, would take the processor from the searches that it does take.
 */
export class Refusals {
  readonly #now: () => number;
  readonly #last = new Map<DescMethod, Refusal>();

  /** @param now milliseconds from any moment on */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * To be told of each call that failed.
   *
   * @param others calls that the server has besides
   */
  learn(method: DescMethod, thrown: unknown, others: number): void {
    if (!(thrown instanceof ConnectError)) return;
    if (!overloaded.has(HeadwaterClientError.from(thrown).reason)) return;
    this.#last.set(method, { error: thrown, kept: others, at: this.#now() });
  }

  /**
   * @param calls that the server has
   * @returns the refusal that one more would get; undefined where it may be tried
   */
  of(method: DescMethod, calls: number): unknown {
    const last = this.#last.get(method);
    if (!last) return undefined;
    const trials = (this.#now() - last.at) / trialMs;
    const most = last.kept + Math.floor(trials * Math.max(trialCalls, trialShare * last.kept));
    return calls < most ? undefined : last.error;
  }
}
