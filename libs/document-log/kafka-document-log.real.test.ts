import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import type { HeadwaterError } from "@headwater/errors";
import { realServer } from "@headwater/testing";
import { documentLogConformance } from "./conformance.ts";
import { receiveCount, record, versionOf } from "./conformance-helpers.ts";
import { createKafka } from "./kafka-client.ts";
import { openKafkaDocumentLog } from "./kafka-document-log.ts";
import { openTestLog, removeTestTopics, testConnection, testOptions } from "./kafka-testing.ts";

const brokers = realServer("KAFKA_BROKERS");

if (brokers) {
  after(() => removeTestTopics(brokers));
  documentLogConformance("Kafka", (name) => openTestLog(brokers, name));
  registerTests(brokers);
}

function registerTests(brokers: string): void {
  test("the number of partitions is fixed when the topic is made, by whoever comes first", async () => {
    const options = testOptions(brokers, `partitions-${randomUUID()}`);
    const asking = (partitions: number) =>
      openKafkaDocumentLog({ ...options, topics: { ...options.topics, partitions } });
    for (const log of await Promise.all([asking(3), asking(3), asking(3)])) {
      assert.equal(log.partitions, 3);
      await log.close();
    }
    const again = await openKafkaDocumentLog(options);
    assert.equal(again.partitions, 3);
    await again.close();
    await assert.rejects(asking(4), {
      reason: "HW_LOG_PARTITIONS_CHANGED",
      message: "The document log has 3 partitions and was opened with 4.",
    });
    await assert.rejects(asking(0), { reason: "HW_LOG_PARTITIONS_INVALID" });
  });

  test("topics that are not there and may not be made are missed by name", async () => {
    const options = { ...testOptions(brokers, `missing-${randomUUID()}`), createTopics: false };
    await assert.rejects(openKafkaDocumentLog(options), { reason: "HW_KAFKA_TOPIC_MISSING" });
  });

  test("bad records are refused at the edge and fail none of the others", async (context) => {
    const log = await openTestLog(brokers, `bad-${randomUUID()}`);
    context.after(() => log.close());
    const good = log.append([record("t/1", 1)]);
    const tooLarge = log.append([record("t/1", 1, 1024 * 1024)]);
    await assert.rejects(tooLarge, { reason: "HW_LOG_RECORD_TOO_LARGE" });
    for (const key of ["", "t/\ud800"])
      await assert.rejects(log.append([record(key, 1)]), { reason: "HW_LOG_KEY_INVALID" });
    assert.equal((await good).length, 1);
  });

  test("one append of more than a batch holds comes whole, in order", async (context) => {
    const log = await openTestLog(brokers, `large-${randomUUID()}`);
    context.after(() => log.close());
    const records = Array.from({ length: 40 }, (_, i) => record("t/one", i, 200_000));
    const positions = await log.append(records);
    const received = await receiveCount(await log.subscribe("g"), 40);
    assert.deepEqual(
      received.map((one) => [versionOf(one), one.offset]),
      positions.map(({ offset }, i) => [i, offset]),
    );
  });

  test("records that retention dropped unread are passed over, and said to be lost", async (context) => {
    const options = testOptions(brokers, `expired-${randomUUID()}`);
    const errors: HeadwaterError[] = [];
    const log = await openKafkaDocumentLog({ ...options, onError: (error) => errors.push(error) });
    context.after(() => log.close());
    await log.append(Array.from({ length: 10 }, (_, i) => record("t/1", i)));
    const first = await log.subscribe("g");
    const [one] = await receiveCount(first, 10);
    assert.ok(one);
    await first.commit({ partition: one.partition, offset: 2 });
    await first.close();
    const admin = createKafka(testConnection(brokers)).admin();
    await admin.connect();
    context.after(() => admin.disconnect());
    // kafkajs only deletes from topics that it has looked at.
    await admin.fetchTopicOffsets(options.topics.topic);
    const partitions = [{ partition: one.partition, offset: "7" }];
    await admin.deleteTopicRecords({ topic: options.topics.topic, partitions });
    const rest = await receiveCount(await log.subscribe("g"), 3);
    assert.deepEqual(rest.map(versionOf), [7, 8, 9]);
    assert.deepEqual(
      errors.map(({ reason }) => reason),
      ["HW_LOG_RECORDS_EXPIRED"],
    );
  });
}
