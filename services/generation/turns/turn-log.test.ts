import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import { until } from "@headwater/testing";
import fc from "fast-check";
import type { StepEvent } from "./turn.ts";
import { TurnLog } from "./turn-log.ts";
import { packEvents, unpackEvents } from "./turn-rows.ts";
import type { EventBatch } from "./turn-store.ts";

const never = new AbortController().signal;

function say(text: string): StepEvent {
  return { step: 0, event: { $case: "text", value: { text } } };
}

const ending: StepEvent = { step: 0, event: { $case: "end", value: {} } };

/** Where a log's events are kept, as the rows of the record store keep them. */
class KeptRows {
  readonly rows: { batch: EventBatch; packed: Uint8Array }[] = [];

  keep(log: TurnLog): void {
    const batch = log.unkept();
    if (!batch) return;
    this.rows.push({ batch, packed: packEvents(batch.events) });
    log.kept(batch.last);
  }

  async read(after: number): Promise<ChatResponse[]> {
    const row = this.rows.find(({ batch }) => batch.last > after);
    return row ? unpackEvents(row.packed).filter(({ sequence }) => sequence > after) : [];
  }
}

const readNone = async () => [];

test("however readers come, leave and resume, and whenever events are kept, each reads the same events", async () => {
  const actions = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant("write" as const), length: fc.integer({ min: 0, max: 400 }) }),
      fc.record({ do: fc.constant("keep" as const) }),
      fc.record({
        do: fc.constant("read" as const),
        reader: fc.nat(2),
        count: fc.integer({ min: 1, max: 6 }),
      }),
      fc.record({ do: fc.constant("leave" as const), reader: fc.nat(2) }),
    ),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(actions, async (steps) => {
      const log = new TurnLog("t");
      const kept = new KeptRows();
      const written: ChatResponse[] = [];
      const seen = [0, 1, 2].map(() => [] as ChatResponse[]);
      const readers: (AsyncGenerator<ChatResponse> | undefined)[] = [undefined, undefined, undefined];
      const open = (reader: number) =>
        (readers[reader] ??= log.read(seen[reader]?.length ?? 0, (at) => kept.read(at), never));
      for (const step of steps) {
        if (step.do === "write") written.push(log.append(say("x".repeat(step.length))));
        if (step.do === "keep") kept.keep(log);
        if (step.do === "leave") {
          await readers[step.reader]?.return(undefined);
          readers[step.reader] = undefined;
        }
        if (step.do === "read") {
          const mine = seen[step.reader] ?? [];
          for (let left = step.count; left > 0 && mine.length < written.length; left -= 1) {
            const { value } = await open(step.reader).next();
            mine.push(value as ChatResponse);
          }
        }
      }
      written.push(log.append(ending));
      kept.keep(log);
      log.end();
      for (const [reader, mine] of seen.entries()) {
        for await (const event of open(reader)) mine.push(event);
        assert.deepEqual(mine, written);
      }
    }),
    { numRuns: 200 },
  );
});

test("the end is shown once the turn has ended, and no reader waits beyond it", async () => {
  const log = new TurnLog("t");
  const reader = log.read(0, readNone, never);
  log.append(say("a"));
  assert.equal((await reader.next()).value?.sequence, 1);
  log.append(ending);
  let shown = false;
  const end = reader.next().then((step) => {
    shown = true;
    return step;
  });
  for (let turns = 0; turns < 5; turns += 1) await nextTurn();
  assert.equal(shown, false);
  log.end();
  assert.equal((await end).value?.event?.$case, "end");
  assert.equal((await reader.next()).done, true);
});

test("the fastest reader gives the pace, and without one the model writes on", async () => {
  const log = new TurnLog("t");
  const slow = log.read(0, readNone, never);
  const fast = log.read(0, readNone, never);
  log.append(say("x".repeat(40_000)));
  await slow.next();
  await fast.next();
  log.append(say("x".repeat(40_000)));
  // Asking for the second event says that it is done with the first.
  await fast.next();
  await log.room(never);
  log.append(say("x".repeat(40_000)));
  let went = false;
  const room = log.room(never).then(() => {
    went = true;
  });
  for (let turns = 0; turns < 5; turns += 1) await nextTurn();
  assert.equal(went, false, "80 kB beyond the fastest reader");
  await slow.return(undefined);
  await fast.return(undefined);
  await room;
  assert.equal(went, true);
});

test("what waits to be kept is bounded also where nobody reads", async () => {
  const log = new TurnLog("t");
  const kept = new KeptRows();
  for (let written = 0; written <= 256 * 1024; written += 64 * 1024) log.append(say("x".repeat(64 * 1024)));
  let went = false;
  const room = log.room(never).then(() => {
    went = true;
  });
  await nextTurn();
  assert.equal(went, false);
  kept.keep(log);
  await room;
  assert.equal(log.unkeptBytes, 0);
});

test("a reader who leaves while it waits is let go, and the time without readers is known", async () => {
  const log = new TurnLog("t");
  const leave = new AbortController();
  const reader = log.read(0, readNone, leave.signal);
  const waiting = reader.next();
  assert.equal(log.unwatchedSince, undefined);
  leave.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  await until("nobody reads", () => log.unwatchedSince !== undefined);
});

test("what is kept, and read by whoever reads fastest, is no more in memory", async () => {
  const log = new TurnLog("t");
  const kept = new KeptRows();
  let asked = 0;
  const readKept = (after: number) => {
    asked += 1;
    return kept.read(after);
  };
  const fast = log.read(0, readKept, never);
  for (let sequence = 1; sequence <= 3; sequence += 1) {
    const next = fast.next();
    log.append(say("x"));
    kept.keep(log);
    assert.equal((await next).value?.sequence, sequence);
  }
  assert.equal(asked, 0, "the fast one reads from memory");
  const slow = log.read(0, readKept, never);
  assert.equal((await slow.next()).value?.sequence, 1);
  assert.equal(asked, 1);
  await fast.return(undefined);
  await slow.return(undefined);
});

test("a sequence that was never streamed is refused", async () => {
  const log = new TurnLog("t");
  log.append(say("a"));
  await assert.rejects(log.read(2, readNone, never).next(), { code: 3, reason: "HW_SEQUENCE_UNKNOWN" });
});

test("readers of a turn that was taken away stop, and what is gone is said to be", async () => {
  const log = new TurnLog("t");
  log.append(say("a"));
  const reader = log.read(0, readNone, never);
  await reader.next();
  log.append(ending);
  log.abandon();
  assert.equal((await reader.next()).done, true);
  assert(log.abandoned);

  const other = new TurnLog("o");
  other.append(say("a"));
  other.kept(1);
  await assert.rejects(other.read(0, readNone, never).next(), { code: 5, reason: "HW_TURN_UNKNOWN" });
});
