import { once, setMaxListeners } from "node:events";
import { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import type { StepEvent } from "./turn.ts";
import { sequenceUnknown, unknownTurn } from "./turn-errors.ts";
import type { EventBatch } from "./turn-store.ts";

/** Bytes that a turn may be ahead of its fastest reader: beyond it the model waits. */
const maxAhead = 64 * 1024;
/** Bytes that may wait to be kept: beyond it the model waits for the record store. */
const maxUnkept = 256 * 1024;

interface Logged {
  readonly response: ChatResponse;
  readonly encoded: Uint8Array;
  /** Bytes of all events of the turn up to this one. */
  readonly total: number;
}

interface Reader {
  /** Sequence of the last event that it is done with. */
  position: number;
}

/** Events that were kept, from one on, for readers who are too far behind for the log's memory. */
export type ReadKept = (after: number) => Promise<readonly ChatResponse[]>;

/**
 * What has happened in a turn that runs in this process. In memory are only events that are not yet kept, or that not
 * even the fastest reader has read; older ones are read from where they are kept.
 */
export class TurnLog {
  readonly turnId: string;
  readonly #changes = new EventTarget();
  readonly #readers = new Set<Reader>();
  /** With consecutive sequences. */
  #events: Logged[] = [];
  #last = 0;
  /** Sequence up to which readers are told. */
  #shown = 0;
  #kept = 0;
  #total = 0;
  #state: "running" | "ended" | "abandoned" = "running";
  #unwatchedSince = Date.now();

  constructor(turnId: string) {
    this.turnId = turnId;
    setMaxListeners(0, this.#changes);
  }

  /** Bytes that wait to be kept. */
  get unkeptBytes(): number {
    return this.#total - this.#totalAt(this.#kept);
  }

  /** Unix milliseconds since when nobody reads; undefined while somebody does. */
  get unwatchedSince(): number | undefined {
    return this.#readers.size > 0 ? undefined : this.#unwatchedSince;
  }

  /** Somebody reads what is kept, by way of another process. */
  watched(): void {
    this.#unwatchedSince = Date.now();
  }

  /** True: it goes on, or ended otherwise, elsewhere. */
  get abandoned(): boolean {
    return this.#state === "abandoned";
  }

  /** The turn's end is shown by `end`, once it is kept. */
  append({ step, event }: StepEvent): ChatResponse {
    this.#last += 1;
    const response = ChatResponse.fromPartial({ sequence: this.#last, step, event });
    const encoded = ChatResponse.encode(response).finish();
    this.#total += encoded.length;
    this.#events.push({ response, encoded, total: this.#total });
    if (event.$case !== "end") this.#shown = this.#last;
    this.#change();
    return response;
  }

  /** All events are kept; readers end once they have read them. */
  end(): void {
    this.#shown = this.#last;
    this.#state = "ended";
    this.kept(this.#last);
  }

  /** The turn is no more this process's; readers end here, and find elsewhere what became of it. */
  abandon(): void {
    this.#state = "abandoned";
    this.#change();
  }

  /** Waits until the next event has room. */
  async room(signal: AbortSignal): Promise<void> {
    while (this.unkeptBytes > maxUnkept || this.#isAhead()) await this.#changed(signal);
  }

  /** What is not yet kept; undefined: nothing. It stays until `kept` is told. */
  unkept(): EventBatch | undefined {
    const events = this.#events.slice(this.#placeAfter(this.#kept));
    if (events.length === 0) return undefined;
    return {
      turnId: this.turnId,
      first: this.#kept + 1,
      last: this.#last,
      events: events.map(({ encoded }) => encoded),
    };
  }

  /** @param last sequence up to which events are kept */
  kept(last: number): void {
    this.#kept = Math.max(this.#kept, last);
    this.#forget();
    this.#change();
  }

  /**
   * Events after a sequence until the end of the turn. Pulled: whoever reads fastest gives the pace.
   *
   * @throws AbortError when `signal` fires
   */
  async *read(after: number, readKept: ReadKept, signal: AbortSignal): AsyncGenerator<ChatResponse> {
    if (after > this.#shown) throw sequenceUnknown(after, this.#shown);
    const reader: Reader = { position: after };
    this.#readers.add(reader);
    try {
      while (true) {
        const older = this.#isForgotten(reader.position);
        const events = older ? await readKept(reader.position) : this.#after(reader.position);
        if (older && events.length === 0) throw unknownTurn();
        for (const event of events) {
          yield event;
          this.#move(reader, event.sequence);
        }
        if (events.length > 0) continue;
        if (this.#state !== "running") return;
        await this.#changed(signal);
      }
    } finally {
      this.#readers.delete(reader);
      this.#unwatchedSince = Date.now();
      this.#forget();
      this.#change();
    }
  }

  /** The next event in memory, one at a time: what comes after it may be forgotten before it is asked for. */
  #after(position: number): ChatResponse[] {
    if (position >= this.#shown) return [];
    const at = this.#placeAfter(position);
    return this.#events.slice(at, at + 1).map(({ response }) => response);
  }

  #move(reader: Reader, position: number): void {
    reader.position = position;
    this.#forget();
    this.#change();
  }

  #fastest(): number | undefined {
    return this.#readers.size === 0
      ? undefined
      : Math.max(...[...this.#readers].map(({ position }) => position));
  }

  /** True where even the fastest reader has far to go; one who comes back late first catches up. */
  #isAhead(): boolean {
    const fastest = this.#fastest();
    if (fastest === undefined) return false;
    return this.#isForgotten(fastest) || this.#total - this.#totalAt(fastest) > maxAhead;
  }

  #forget(): void {
    const done = Math.min(this.#kept, this.#fastest() ?? this.#kept);
    this.#events.splice(0, Math.max(0, this.#placeAfter(done)));
  }

  /** True where the event after this one is no more in memory. */
  #isForgotten(position: number): boolean {
    return this.#placeAfter(position) < 0;
  }

  /** Place in `#events` of the event after this one. */
  #placeAfter(position: number): number {
    return position - (this.#last - this.#events.length);
  }

  /** Bytes of all events up to this one. */
  #totalAt(position: number): number {
    const next = this.#events[this.#placeAfter(position)];
    return next ? next.total - next.encoded.length : this.#total;
  }

  #change(): void {
    this.#changes.dispatchEvent(new Event("change"));
  }

  async #changed(signal: AbortSignal): Promise<void> {
    await once(this.#changes, "change", { signal });
  }
}
