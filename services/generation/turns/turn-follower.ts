import { once } from "node:events";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import type { Owner } from "./turn.ts";
import { unknownTurn } from "./turn-errors.ts";
import type { TurnStore } from "./turn-store.ts";

/** How a turn is followed that does not run in this process. */
export interface FollowTools {
  readonly store: TurnStore;
  /** An event by the turn's id when it has new events, and "gap" when such may have been missed. */
  readonly writes: EventTarget;
  readonly signal: AbortSignal;
  /** Tells the process that runs the turn that somebody reads. */
  watch(): void;
  /** Ends the turn where nobody runs it any more. */
  endIfLost(): Promise<boolean>;
}

/** Milliseconds between two looks, where no signal comes. */
const pollMs = 1000;
/** Looks after which the other process is told again, and seen to be alive. */
const looksToWatch = 3;

/**
 * Reads a turn from where its events are kept. A turn that was lost ends even for a reader who has seen more of it than
 * was kept: its end then has the next sequence of that reader.
 */
export async function* followTurn(
  owner: Owner,
  turnId: string,
  after: number,
  { store, writes, signal, watch, endIfLost }: FollowTools,
): AsyncGenerator<ChatResponse> {
  let position = after;
  for (let looks = 0; ; looks += 1) {
    const written = waitForWrite(writes, turnId, AbortSignal.any([signal, AbortSignal.timeout(pollMs)]));
    // The state first: what is read after it is then all there is.
    const turn = await store.find(owner, turnId);
    if (!turn) throw unknownTurn();
    let ended = false;
    for (let events = await store.events(turnId, position); events.length > 0; ) {
      for (const event of events) {
        yield event;
        position = event.sequence;
        ended = event.event?.$case === "end";
      }
      events = await store.events(turnId, position);
    }
    if (ended) return;
    if (turn.ended_at !== null) {
      if (turn.lost && position > 0) yield* lastOf(await store.lastEvents(turnId), position);
      return;
    }
    if (looks % looksToWatch === 0) {
      watch();
      if (await endIfLost()) continue;
    }
    await written;
    signal.throwIfAborted();
  }
}

function* lastOf(events: readonly ChatResponse[], position: number): Generator<ChatResponse> {
  const end = events.at(-1);
  if (end && end.sequence <= position) yield { ...end, sequence: position + 1 };
}

async function waitForWrite(writes: EventTarget, turnId: string, signal: AbortSignal): Promise<void> {
  await Promise.race([once(writes, turnId, { signal }), once(writes, "gap", { signal })]).catch(() => {});
}
