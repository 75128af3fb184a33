import { EventEmitter, once } from "node:events";
import type { ChatResponse, DeepPartial } from "@headwater/proto/services/headwater/v1/conversation";

export type TurnEvent = NonNullable<DeepPartial<ChatResponse>["event"]>;

/** The events of a turn, kept so that any number of readers can follow it from any event on. */
export class TurnDouble {
  readonly id: string;
  /** "tenant/owner". */
  readonly who: string;
  readonly #events: DeepPartial<ChatResponse>[] = [];
  readonly #changed = new EventEmitter().setMaxListeners(0);
  readonly #cancelled = new AbortController();
  readonly #decisions = new Map<string, PromiseWithResolvers<boolean>>();
  #ended = false;

  constructor(id: string, who: string) {
    this.id = id;
    this.who = who;
  }

  /** Fires when the turn is cancelled. */
  get cancelled(): AbortSignal {
    return this.#cancelled.signal;
  }

  get ended(): boolean {
    return this.#ended;
  }

  cancel(): void {
    this.#cancelled.abort();
    for (const decision of this.#decisions.values()) decision.resolve(false);
  }

  add(event: TurnEvent, step = 0): void {
    this.#events.push({ sequence: this.#events.length + 1, step, event });
    this.#ended ||= event.$case === "end";
    this.#changed.emit("change");
  }

  waitForApproval(callId: string): Promise<boolean> {
    const decision = Promise.withResolvers<boolean>();
    this.#decisions.set(callId, decision);
    return decision.promise;
  }

  /** False where the call does not wait. */
  decide(callId: string, approved: boolean): boolean {
    const decision = this.#decisions.get(callId);
    this.#decisions.delete(callId);
    decision?.resolve(approved);
    return decision !== undefined;
  }

  /** What came after an event, then what is still to come. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<DeepPartial<ChatResponse>> {
    for (let next = after; ; next += 1) {
      while (next >= this.#events.length) {
        if (this.#ended) return;
        await once(this.#changed, "change", { signal });
      }
      const event = this.#events[next];
      if (event) yield event;
    }
  }
}
