import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { ChatResponse } from "@headwater/proto/services/headwater/v1/conversation";
import { TurnEndReason } from "@headwater/proto/services/headwater/v1/conversation";
import { MemoryAction } from "@headwater/proto/services/headwater/v1/memory";
import type { RecordStore } from "@headwater/record-store";
import { until } from "@headwater/testing";
import fc from "fast-check";
import { endOf, textOf } from "../testing/conversation-harness.ts";
import type { TurnWorld, TurnWorldOptions } from "../testing/turn-world.ts";
import { openTurnWorld, somebody, taskOf } from "../testing/turn-world.ts";
import type { RunTurn, StepEvent } from "./turn.ts";

const never = new AbortController().signal;

function say(text: string): StepEvent {
  return { step: 1, event: { $case: "text", value: { text } } };
}

const complete: StepEvent = {
  step: 0,
  event: { $case: "end", value: { reason: TurnEndReason.COMPLETE, steps: 1 } },
};

/** Says pieces one after another, and stands before each of them until `gate` lets it. */
function saying(pieces: readonly string[], gate: (piece: number) => Promise<void> = async () => {}): RunTurn {
  return async function* run(_, { signal }) {
    for (const [piece, text] of pieces.entries()) {
      await gate(piece);
      signal.throwIfAborted();
      yield say(text);
    }
    yield complete;
  };
}

/** What a process has to do with the turns that it runs, over any record store. */
export function runningTurnsSuite(name: string, openRecords: () => Promise<RecordStore>): void {
  describe(`running turns: ${name}`, () => {
    const opened: { world: TurnWorld; records: RecordStore }[] = [];
    const open = async (options: TurnWorldOptions = {}, records?: RecordStore) => {
      const store = records ?? (await openRecords());
      const world = await openTurnWorld(store, options);
      opened.push({ world, records: store });
      return { world, records: store };
    };
    afterEach(async () => {
      for (const { world } of opened) await world.turns.close();
      for (const { records } of opened.splice(0)) await records.close();
    });

    test("any sequence of resumes gives the same events", async () => {
      const { world } = await open();
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 200 }), {
            minLength: 1,
            maxLength: 12,
          }),
          fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 8 }),
          fc.array(fc.boolean(), { maxLength: 12 }),
          async (pieces, stays, pauses) => {
            const gate = (piece: number) => (pauses[piece] ? delay(1) : Promise.resolve());
            const turnId = await world.begin(saying(pieces, gate));
            const seen: ChatResponse[] = [];
            for (const stay of stays) {
              let left = stay;
              for await (const event of world.turns.read(somebody, turnId, seen.length, never)) {
                seen.push(event);
                left -= 1;
                if (left === 0) break;
              }
            }
            seen.push(...(await world.read(turnId, seen.length)));
            assert.deepEqual(await world.read(turnId), seen);
            assert.deepEqual(
              seen.map(({ sequence }) => sequence),
              seen.map((_, index) => index + 1),
            );
            assert.equal(textOf(seen), pieces.map((piece) => piece.toWellFormed()).join(""));
            assert.equal(endOf(seen).reason, TurnEndReason.COMPLETE);
          },
        ),
        { numRuns: 30 },
      );
      assert.deepEqual(world.errors, []);
    });

    test("a call that waits for approval goes on as somebody decides, or is refused at its deadline", async () => {
      const { world } = await open();
      const asking = (deadline: Date): RunTurn =>
        async function* run(_, context) {
          yield { step: 1, event: { $case: "approval", value: { callId: "call", deadline } } };
          yield say(String(await context.waitForApproval("call", deadline)));
          yield complete;
        };
      const later = new Date(Date.now() + 3_600_000);
      for (const approved of [true, false]) {
        const turnId = await world.begin(asking(later));
        const seen: ChatResponse[] = [];
        for await (const event of world.turns.read(somebody, turnId, 0, never)) {
          seen.push(event);
          if (event.event?.$case !== "approval") continue;
          await assert.rejects(world.turns.decide({ ...somebody, owner: "bob" }, turnId, "call", true), {
            reason: "HW_CALL_NOT_WAITING",
          });
          await world.turns.decide(somebody, turnId, "call", approved);
          await assert.rejects(world.turns.decide(somebody, turnId, "call", true), {
            code: 9,
            reason: "HW_CALL_NOT_WAITING",
          });
        }
        assert.equal(textOf(seen), String(approved));
      }
      assert.equal(textOf(await world.read(await world.begin(asking(new Date(Date.now() + 50))))), "false");
      const cancelled = await world.begin(asking(later));
      await world.turns.cancel(somebody, cancelled);
      assert.equal(endOf(await world.read(cancelled)).reason, TurnEndReason.CANCELLED);
      await assert.rejects(world.turns.decide(somebody, cancelled, "call", true), {
        reason: "HW_CALL_NOT_WAITING",
      });

      const stateless = taskOf(asking(later));
      const seen: ChatResponse[] = [];
      for await (const event of world.turns.playStateless(stateless, never)) {
        seen.push(event);
        if (event.event?.$case === "approval") await world.turns.decide(somebody, stateless.id, "call", true);
      }
      assert.equal(textOf(seen), "true");
      assert.deepEqual(world.errors, []);
    });

    test("memory is read before the answer and given it after, and a turn does without one that fails", async () => {
      const { world } = await open();
      const observed: string[] = [];
      const memory = {
        recall: async (_: unknown, text: string) => [{ ...noMemory, text: `about: ${text}` }],
        observe: async ({ message, answer }: { message: string; answer: string }) => {
          observed.push(`${message} ${answer}`);
          return [{ ...noDecision, statement: message, action: MemoryAction.STORED }];
        },
      };
      const reading: RunTurn = async function* run(turn) {
        yield say(turn.memories.map(({ text }) => text).join());
        yield complete;
      };
      const events = await world.read(await world.begin(reading, { memory, message: "I keep bees." }));
      assert.deepEqual(
        events.map(({ event }) => event?.$case),
        ["started", "recalled", "text", "remembered", "end"],
      );
      assert.equal(textOf(events), "about: I keep bees.");
      assert.deepEqual(observed, ["I keep bees. about: I keep bees."]);
      assert(endOf(events).milliseconds["recall"] !== undefined);

      const failing = { recall: fail, observe: fail };
      const without = await world.read(await world.begin(reading, { memory: failing }));
      assert.deepEqual(
        without.map(({ event }) => event?.$case),
        ["started", "text", "end"],
      );
      assert.equal(endOf(without).reason, TurnEndReason.COMPLETE);
    });

    test("a runner that throws, or stops without an end, fails its turn and no other", async () => {
      const { world } = await open();
      const throwing: RunTurn = async function* run() {
        yield say("half");
        throw new TypeError("broken");
      };
      const stopping: RunTurn = async function* run() {
        yield say("half");
      };
      for (const run of [throwing, stopping]) {
        const events = await world.read(await world.begin(run));
        assert.equal(textOf(events), "half");
        assert.deepEqual(
          [endOf(events).reason, endOf(events).error?.reason],
          [TurnEndReason.FAILED, "HW_INTERNAL"],
        );
      }
    });

    test("a process that stops ends its turns as lost, and the next one can stream them", async () => {
      const { world, records } = await open();
      const { promise, resolve } = Promise.withResolvers<void>();
      const turnId = await world.begin(
        saying(["said", "unsaid"], (piece) => (piece === 1 ? promise : Promise.resolve())),
      );
      const reading = world.read(turnId);
      const stopped = world.turns.close();
      resolve();
      await stopped;
      const events = await reading;
      assert.equal(endOf(events).error?.reason, "HW_TURN_LOST");
      const { world: next } = await open({}, records);
      assert.deepEqual(await next.read(turnId), events);
    });

    test("what ended long ago is forgotten, and its messages stay", async () => {
      const { world, records } = await open({ leaseMs: 300, retentionMs: 1 });
      const turnId = await world.begin(saying(["said"]));
      await world.read(turnId).catch(() => {});
      await until("its events are gone", async () => {
        const rows = await records.query("SELECT turn_id FROM turn_events");
        return rows.length === 0;
      });
      await assert.rejects(world.read(turnId), { code: 5, reason: "HW_TURN_UNKNOWN" });
      assert.equal((await records.query("SELECT id FROM messages")).length, 2);
    });

    test("200 turns at once stream all that was said, each its own", async () => {
      const { world } = await open();
      const pieces = Array.from({ length: 200 }, (_, piece) => `token ${piece} `);
      const ids = await Promise.all(
        Array.from({ length: 200 }, () => world.begin(saying(pieces, () => delay(1)))),
      );
      const texts = await Promise.all(ids.map(async (turnId) => textOf(await world.read(turnId))));
      assert(texts.every((text) => text === pieces.join("")));
      assert.deepEqual(world.errors, []);
    });
  });
}

const noMemory = {
  ...{ id: "", text: "", surprise: 0, strength: 0, recallCount: 0, conversationId: "", similarity: 0 },
  ...{ createdTime: undefined, updatedTime: undefined },
};
const noDecision = { surprise: 0, threshold: 0, parts: {}, memoryId: "" };

async function fail(): Promise<never> {
  throw new TypeError("memory is broken");
}
