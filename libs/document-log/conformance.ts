import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { afterEach, describe, test } from "node:test";
import { until } from "@headwater/testing";
import {
  anyLimits,
  behind,
  commitAll,
  comparable,
  deadline,
  failure,
  pollUntilAborted,
  receiveCount,
  record,
  versionOf,
  Worker,
} from "./conformance-helpers.ts";
import type { DocumentLog, LogRecord, NewLogRecord } from "./document-log.ts";
import { recordKey } from "./document-log.ts";
import { firstAppended } from "./replay-headers.ts";

/**
 * Opens a log with at least four partitions. One name is one stored log: opening it again is a restart when the first
 * was closed, and a second process when it was not.
 */
export type OpenDocumentLog = (name: string) => Promise<DocumentLog>;

/** What every adapter of the document log promises; registers tests of node:test. */
export function documentLogConformance(adapter: string, open: OpenDocumentLog): void {
  describe(`${adapter}: document log`, () => {
    const opened: DocumentLog[] = [];
    const openNamed = async (name: string): Promise<DocumentLog> => {
      const log = await open(name);
      opened.push(log);
      return log;
    };
    const openNew = () => openNamed(`log-${randomUUID()}`);
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((log) => log.close()));
    });

    test("gives back what was appended: key, value, headers, position, time", async () => {
      const log = await openNew();
      const before = Date.now();
      const added: NewLogRecord[] = [
        { key: "default/plain", value: Buffer.from("hello"), headers: { traceparent: "00-1-2-01" } },
        { key: "default/Ünïcode/🚀/名前", value: Buffer.from("grüße"), headers: { schlüssel: "wert 🚀" } },
        { key: "default/empty", value: new Uint8Array(0), headers: {} },
      ];
      const positions = await log.append(added);
      assert.equal(positions.length, added.length);
      const received = await receiveCount(await log.subscribe("g"), added.length);
      for (const [i, record] of added.entries()) {
        const found = received.find(({ key }) => key === record.key);
        assert.ok(found, `missing: ${record.key}`);
        assert.deepEqual(Buffer.from(found.value ?? "null"), Buffer.from(record.value ?? "null"));
        assert.deepEqual({ ...found.headers }, record.headers);
        assert.deepEqual({ partition: found.partition, offset: found.offset }, positions[i]);
        assert.ok(found.timestamp >= before - 1_000 && found.timestamp <= Date.now() + 1_000);
      }
    });

    test("a tombstone stays a tombstone, and is not an empty value", async () => {
      const log = await openNew();
      await log.append([
        { key: "t/a", value: null, headers: {} },
        { key: "t/a", value: new Uint8Array(0), headers: {} },
      ]);
      const received = await receiveCount(await log.subscribe("g"), 2);
      assert.deepEqual(
        received.map(({ value }) => value?.length ?? null),
        [null, 0],
      );
    });

    test("appending nothing is fine", async () => {
      const log = await openNew();
      assert.deepEqual(await log.append([]), []);
    });

    test("a value just below 1 MiB comes back whole", async () => {
      const log = await openNew();
      // Kafka's own limit of 1 MiB includes key, headers and framing.
      const value = randomBytes(1024 * 1024 - 2_048);
      await log.append([{ key: "t/large", value, headers: {} }]);
      const [record] = await receiveCount(await log.subscribe("g"), 1);
      assert.ok(record?.value && value.equals(record.value));
    });

    test("equal keys share a partition and keep their order under concurrent appends", async () => {
      const log = await openNew();
      const keys = Array.from({ length: 20 }, (_, i) => recordKey("t", `doc-${i}`));
      for (let version = 0; version < 10; version += 1) {
        await Promise.all(keys.map((key) => log.append([record(key, version)])));
      }
      const received = await receiveCount(await log.subscribe("g"), 200);
      for (const key of keys) {
        const mine = received.filter((one) => one.key === key);
        assert.deepEqual(mine.map(versionOf), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert.equal(new Set(mine.map(({ partition }) => partition)).size, 1);
        assert.deepEqual(
          mine.map(({ offset }) => offset),
          mine.map(({ offset }) => offset).sort((a, b) => a - b),
        );
      }
      assert.ok(new Set(received.map(({ partition }) => partition)).size > 1, "all keys in one partition");
    });

    test("one append keeps the order of its records of one key", async () => {
      const log = await openNew();
      const positions = await log.append(Array.from({ length: 50 }, (_, i) => record("t/one", i)));
      assert.ok(
        positions.every(({ offset }, i) => i === 0 || offset > (positions[i - 1]?.offset ?? Infinity)),
      );
      const received = await receiveCount(await log.subscribe("g"), 50);
      assert.deepEqual(
        received.map(versionOf),
        Array.from({ length: 50 }, (_, i) => i),
      );
    });

    test("receive keeps to maxRecords, and about to maxBytes but gives at least one record", async () => {
      const log = await openNew();
      await log.append(Array.from({ length: 30 }, (_, i) => record(`t/${i}`, i, 10_000)));
      const consumer = await log.subscribe("g");
      const few = await consumer.receive({ maxRecords: 3, maxBytes: 1e9 }, deadline());
      assert.ok(few.length >= 1 && few.length <= 3);
      const small = await consumer.receive({ maxRecords: 100, maxBytes: 1 }, deadline());
      assert.ok(small.length >= 1, "nothing");
      const some = await consumer.receive({ maxRecords: 100, maxBytes: 25_000 }, deadline());
      assert.ok(some.length >= 1 && some.length <= 5, `${some.length} records of 10 KB for 25 KB`);
    });

    test("a waiting receive wakes when a record is appended", async () => {
      const log = await openNew();
      const consumer = await log.subscribe("g");
      const waiting = consumer.receive(anyLimits, deadline());
      await log.append([record("t/a", 1)]);
      assert.deepEqual((await waiting).map(versionOf), [1]);
    });

    test("an append through another opener wakes a waiting receive", async () => {
      const name = `log-${randomUUID()}`;
      const reader = await openNamed(name);
      const writer = await openNamed(name);
      const consumer = await reader.subscribe("g");
      const waiting = consumer.receive(anyLimits, deadline());
      await writer.append([record("t/a", 7)]);
      assert.deepEqual((await waiting).map(versionOf), [7]);
    });

    test("abort ends a waiting receive, and loses no record", async () => {
      const log = await openNew();
      const consumer = await log.subscribe("g");
      const abort = new AbortController();
      const waiting = consumer.receive(anyLimits, abort.signal);
      abort.abort(new Error("a reason of the caller's own"));
      await assert.rejects(waiting, { name: "AbortError" });
      await assert.rejects(consumer.receive(anyLimits, abort.signal), { name: "AbortError" });
      await log.append([record("t/a", 1)]);
      assert.deepEqual((await receiveCount(consumer, 1)).map(versionOf), [1]);
    });

    test("close ends a waiting receive", async () => {
      const log = await openNew();
      const consumer = await log.subscribe("g");
      const waiting = assert.rejects(consumer.receive(anyLimits, deadline()));
      await consumer.close();
      await waiting;
    });

    test("without commit all is delivered again after a restart; with commit, what follows", async () => {
      const name = `log-${randomUUID()}`;
      const first = await openNamed(name);
      await first.append(Array.from({ length: 10 }, (_, i) => record("t/a", i)));
      const consumer = await first.subscribe("g");
      const received = await receiveCount(consumer, 10);
      await first.close();

      const second = await openNamed(name);
      const again = await second.subscribe("g");
      assert.deepEqual((await receiveCount(again, 10)).map(versionOf), received.map(versionOf));
      const fourth = received[3];
      assert.ok(fourth);
      await again.commit({ partition: fourth.partition, offset: fourth.offset + 1 });
      await second.close();

      const third = await openNamed(name);
      const rest = await receiveCount(await third.subscribe("g"), 6);
      assert.deepEqual(rest.map(versionOf), [4, 5, 6, 7, 8, 9]);
    });

    test("the log survives a restart: positions go on where they were", async () => {
      const name = `log-${randomUUID()}`;
      const first = await openNamed(name);
      const [before] = await first.append([record("t/a", 0)]);
      await first.close();
      const second = await openNamed(name);
      const [after] = await second.append([record("t/a", 1)]);
      assert.equal(second.partitions, first.partitions);
      assert.equal(after?.partition, before?.partition);
      assert.ok((after?.offset ?? -1) > (before?.offset ?? Infinity));
    });

    test("groups do not touch each other", async () => {
      const log = await openNew();
      await log.append(Array.from({ length: 5 }, (_, i) => record("t/a", i)));
      const one = await log.subscribe("one");
      const last = (await receiveCount(one, 5)).at(-1);
      assert.ok(last);
      await one.commit({ partition: last.partition, offset: last.offset + 1 });
      assert.equal((await receiveCount(await log.subscribe("two"), 5)).length, 5);
    });

    test("lag is the distance from committed to end, by partition", async () => {
      const log = await openNew();
      const before = await log.lag("g");
      assert.deepEqual(
        before.map(({ partition }) => partition),
        Array.from({ length: log.partitions }, (_, i) => i),
      );
      assert.equal(behind(before), 0);
      await log.append(Array.from({ length: 40 }, (_, i) => record(`t/${i}`, i)));
      // Kafka may leave gaps, so more is possible.
      assert.ok(behind(await log.lag("g")) >= 40);
      const consumer = await log.subscribe("g");
      const received = await receiveCount(consumer, 40);
      assert.ok(behind(await log.lag("g")) >= 40, "receiving is not committing");
      await commitAll(consumer, received);
      assert.equal(behind(await log.lag("g")), 0);
      await log.append([record("t/0", 1)]);
      assert.ok(behind(await log.lag("g")) >= 1);
      assert.ok(
        behind(await log.lag("other")) >= 41,
        "a group that never subscribed is behind by everything",
      );
    });

    test("a later commit of an earlier offset does not deliver anew what was committed", async () => {
      const log = await openNew();
      await log.append(Array.from({ length: 5 }, (_, i) => record("t/a", i)));
      const consumer = await log.subscribe("g");
      const received = await receiveCount(consumer, 5);
      const [first, last] = [received[0], received[4]];
      assert.ok(first && last);
      await consumer.commit({ partition: last.partition, offset: last.offset + 1 });
      await consumer.commit({ partition: first.partition, offset: first.offset + 1 });
      assert.equal(behind(await log.lag("g")), 0);
    });

    test("a group that was rewound begins again at the first record, and one with consumers is not", async () => {
      const log = await openNew();
      await log.append(["a", "b", "c"].map((id) => record(`t/${id}`, 1)));
      const consumer = await log.subscribe("g");
      await commitAll(consumer, await receiveCount(consumer, 3));
      await assert.rejects(log.rewind("g"), { reason: "HW_LOG_GROUP_IN_USE" });
      await consumer.close();
      await log.rewind("g");
      assert(behind(await log.lag("g")) >= 3);
      assert.equal((await receiveCount(await log.subscribe("g"), 3)).length, 3);
      await log.rewind("nobody");
    });

    test("consumers of a group share the partitions; a consumer that leaves hands its own on", async () => {
      const name = `log-${randomUUID()}`;
      const first = await openNamed(name);
      const second = await openNamed(name);
      const a = new Worker(await first.subscribe("g"));
      const b = new Worker(await second.subscribe("g"));
      const appendRound = (round: number) =>
        first.append(Array.from({ length: 40 }, (_, i) => record(`t/${i}`, round)));

      // Both work: each round goes to whoever owns the partition now.
      await until("each has partitions", async () => {
        await appendRound(1);
        await until("nothing is left", async () => behind(await first.lag("g")) === 0);
        return a.lastPartitions.size > 0 && b.lastPartitions.size > 0;
      });
      a.forget();
      b.forget();
      await appendRound(2);
      await until("nothing is left", async () => behind(await first.lag("g")) === 0);
      assert.ok(a.partitions.size > 0 && b.partitions.size > 0, "one consumer has everything");
      assert.equal(
        [...a.partitions].filter((partition) => b.partitions.has(partition)).length,
        0,
        "two owners of one partition",
      );

      await a.stop();
      b.forget();
      await appendRound(3);
      await until("nothing is left", async () => behind(await first.lag("g")) === 0);
      assert.ok(b.partitions.size > 1);
      await b.stop();
    });

    test("a record that was received and not committed goes to the new owner", async () => {
      const log = await openNew();
      await log.append(Array.from({ length: 20 }, (_, i) => record(`t/${i}`, i)));
      const first = await log.subscribe("g");
      await receiveCount(first, 20);
      await first.close();
      assert.equal((await receiveCount(await log.subscribe("g"), 20)).length, 20);
    });

    test("the commit of a partition that was taken away is ignored, and its owner was told", async () => {
      const log = await openNew();
      await log.append(Array.from({ length: 40 }, (_, i) => record(`t/${i}`, i)));
      const stale = await log.subscribe("g");
      const revoked = new Set<number>();
      stale.onRevoked((partitions) => {
        for (const partition of partitions) revoked.add(partition);
      });
      const received = await receiveCount(stale, 40);
      const fresh = await log.subscribe("g");
      // Some brokers share anew only while their members ask for records.
      const asking = new AbortController();
      const polls = [stale, fresh].map((consumer) => pollUntilAborted(consumer, asking.signal));
      await until("partitions are revoked", async () => revoked.size > 0);
      asking.abort();
      await Promise.all(polls);

      const before = await log.lag("g");
      for (const one of received.filter(({ partition }) => revoked.has(partition))) {
        await stale.commit({ partition: one.partition, offset: one.offset + 1 });
      }
      const after = await log.lag("g");
      for (const partition of revoked) {
        assert.equal(after[partition]?.committedOffset, before[partition]?.committedOffset);
      }
    });

    test("no partition starves while another is full", async () => {
      const log = await openNew();
      const [busy] = await log.append(Array.from({ length: 500 }, (_, i) => record("t/busy", i)));
      let quietKey = 0;
      let partition = busy?.partition;
      while (partition === busy?.partition) {
        quietKey += 1;
        partition = (await log.append([record(`t/quiet-${quietKey}`, 0)]))[0]?.partition;
      }
      const consumer = await log.subscribe("g");
      const seen: LogRecord[] = [];
      while (!seen.some(({ key }) => key === `t/quiet-${quietKey}`)) {
        seen.push(...(await consumer.receive({ maxRecords: 50, maxBytes: 1e6 }, deadline())));
        assert.ok(seen.length <= 300, "the busy partition came first for too long");
      }
    });

    test("dead letters are kept, listed newest first, counted by tenant", async () => {
      const log = await openNew();
      await log.append(["a/1", "a/2", "b/1"].map((key) => record(key, 1)));
      const received = await receiveCount(await log.subscribe("g"), 3);
      const byKey = (key: string) => received.find((one) => one.key === key) ?? assert.fail(key);
      for (const key of ["a/1", "b/1", "a/2"]) await log.addDeadLetter(byKey(key), failure(key));

      assert.equal(await log.countDeadLetters(), 3);
      assert.equal(await log.countDeadLetters("a"), 2);
      assert.equal(await log.countDeadLetters("nobody"), 0);
      const all = await log.listDeadLetters({ limit: 10 });
      assert.deepEqual(
        all.deadLetters.map(({ record: { key } }) => key),
        ["a/2", "b/1", "a/1"],
      );
      assert.equal(all.next, undefined);
      const [letter] = all.deadLetters;
      assert.ok(letter);
      assert.deepEqual(
        { stage: letter.stage, reason: letter.reason, message: letter.message, attempts: letter.attempts },
        failure("a/2"),
      );
      assert.ok(Math.abs(letter.failedAt - Date.now()) < 60_000);
      assert.deepEqual(comparable(letter.record), comparable(byKey("a/2")));

      const keys: string[] = [];
      let after: string | undefined;
      do {
        const page = await log.listDeadLetters({ tenant: "a", limit: 1, ...(after ? { after } : {}) });
        assert.ok(page.deadLetters.length <= 1);
        keys.push(...page.deadLetters.map(({ record: { key } }) => key));
        after = page.next;
      } while (after !== undefined);
      assert.deepEqual(keys, ["a/2", "a/1"]);
      await assert.rejects(log.listDeadLetters({ limit: 1, after: "no token" }), {
        reason: "HW_PAGE_TOKEN_INVALID",
      });
    });

    test("a record given up twice has one letter, the later", async () => {
      const log = await openNew();
      await log.append([record("t/1", 1)]);
      const [one] = await receiveCount(await log.subscribe("g"), 1);
      assert.ok(one);
      await log.addDeadLetter(one, failure("first"));
      await log.addDeadLetter(one, { ...failure("second"), attempts: 7 });
      const { deadLetters } = await log.listDeadLetters({ limit: 10 });
      assert.deepEqual(
        deadLetters.map(({ attempts }) => attempts),
        [7],
      );
      assert.equal(await log.countDeadLetters("t"), 1);
    });

    test("what another opener gave up or replayed is seen at once, and nothing is replayed twice", async () => {
      const name = `log-${randomUUID()}`;
      const [first, second] = [await openNamed(name), await openNamed(name)];
      await first.append(Array.from({ length: 300 }, (_, i) => record(`t/${i % 30}`, i)));
      const consumer = await first.subscribe("g");
      const received = await receiveCount(consumer, 300);
      await Promise.all(received.map((one) => first.addDeadLetter(one, failure(one.key))));
      assert.equal(await second.countDeadLetters("t"), 300);
      const replayed = await Promise.all(
        [first, second].map((log) => log.replayDeadLetters({ tenant: "t" })),
      );
      assert.equal((replayed[0] ?? 0) + (replayed[1] ?? 0), 300);
      assert.equal((await receiveCount(consumer, 300)).length, 300);
      assert.equal(await first.countDeadLetters(), 0);
      assert.equal(await second.countDeadLetters(), 0);
    });

    test("dead letters survive a restart, a tombstone among them", async () => {
      const name = `log-${randomUUID()}`;
      const first = await openNamed(name);
      await first.append([{ key: "a/gone", value: null, headers: { h: "1" } }]);
      const [tombstone] = await receiveCount(await first.subscribe("g"), 1);
      assert.ok(tombstone);
      await first.addDeadLetter(tombstone, failure("index"));
      await first.close();
      const second = await openNamed(name);
      const { deadLetters } = await second.listDeadLetters({ tenant: "a", limit: 5 });
      assert.equal(deadLetters.length, 1);
      assert.equal(deadLetters[0]?.record.value, null);
      assert.deepEqual({ ...deadLetters[0]?.record.headers }, { h: "1" });
    });

    test("replay appends the records again and removes their letters, of the tenant asked for only", async () => {
      const log = await openNew();
      await log.append([record("a/1", 0), record("a/1", 1), record("a/2", 0), record("b/1", 0)]);
      const consumer = await log.subscribe("g");
      const received = await receiveCount(consumer, 4);
      await commitAll(consumer, received);
      for (const one of received) await log.addDeadLetter(one, failure(one.key));

      const { deadLetters } = await log.listDeadLetters({ tenant: "a", limit: 10 });
      const chosen = deadLetters.find(({ record: { key } }) => key === "a/2");
      const foreign = (await log.listDeadLetters({ tenant: "b", limit: 10 })).deadLetters[0];
      assert.ok(chosen && foreign);
      assert.equal(await log.replayDeadLetters({ tenant: "a", ids: [chosen.id, foreign.id] }), 1);
      assert.equal(await log.replayDeadLetters({ tenant: "a", ids: [chosen.id] }), 0, "replayed twice");
      assert.equal(await log.replayDeadLetters({ tenant: "a", ids: ["no id", ""] }), 0);
      const [again] = await receiveCount(consumer, 1);
      assert.ok(again);
      assert.deepEqual(comparable(again).value, comparable(chosen.record).value);
      assert.equal(again.key, "a/2");
      assert.equal(again.partition, chosen.record.partition);
      assert.ok(again.offset > chosen.record.offset);
      // A record without a version takes it from here: replayed, it must not pass for newer than what came since.
      assert.equal(firstAppended(again), chosen.record.timestamp);
      await log.addDeadLetter(again, failure(again.key));
      const [twice] = (await log.listDeadLetters({ tenant: "a", limit: 1 })).deadLetters;
      assert.ok(twice);
      await log.replayDeadLetters({ tenant: "a", ids: [twice.id] });
      const [afterTwice] = await receiveCount(consumer, 1);
      assert.equal(afterTwice && firstAppended(afterTwice), chosen.record.timestamp);

      assert.equal(await log.replayDeadLetters({ tenant: "a" }), 2);
      assert.deepEqual((await receiveCount(consumer, 2)).map(versionOf), [0, 1], "order of one key");
      assert.equal(await log.countDeadLetters("a"), 0);
      assert.equal(await log.countDeadLetters("b"), 1);
    });

    test("an open log is healthy, a closed one is not", async () => {
      const log = await openNew();
      await log.checkHealth();
      await log.close();
      await assert.rejects(log.checkHealth());
      await assert.rejects(log.append([record("t/a", 1)]));
    });
  });
}
