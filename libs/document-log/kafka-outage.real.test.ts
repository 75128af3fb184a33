import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { HeadwaterError } from "@headwater/errors";
import { status } from "@headwater/errors";
import { realServer, temporaryFolder, until } from "@headwater/testing";
import { anyLimits, behind, commitAll, record, versionOf } from "./conformance-helpers.ts";
import type { LogRecord } from "./document-log.ts";
import { TestBroker } from "./fixtures/kafka-broker.ts";
import { openKafkaDocumentLog } from "./kafka-document-log.ts";
import { patiently, testOptions } from "./kafka-testing.ts";

/** Folder with the jars of Kafka, server and client: the broker here is killed, so it is one of our own. */
const jars = realServer("KAFKA_JARS");

if (jars) {
  const broker = await TestBroker.start({ jars, folder: join(await temporaryFolder(), "kafka") });
  after(() => broker.kill("SIGTERM"));

  test("a broker that is killed comes back: receive goes on, append is refused and then taken", async (context) => {
    const errors: HeadwaterError[] = [];
    const log = await openKafkaDocumentLog({
      ...testOptions(broker.address, "outage"),
      onError: (error) => errors.push(error),
    });
    context.after(() => log.close());
    const consumer = await log.subscribe("g");
    const stop = new AbortController();
    const received: LogRecord[] = [];
    const working = (async () => {
      while (true) {
        const records = await consumer.receive(anyLimits, stop.signal);
        received.push(...records);
        await patiently(() => commitAll(consumer, records));
      }
    })().catch((thrown: unknown) => {
      if (!stop.signal.aborted) throw thrown;
    });
    await patiently(() => log.append([record("t/1", 1)]));
    const letter = { ...record("t/0", 0), partition: 0, offset: 0, timestamp: 0 };
    const why = { stage: "parse", reason: "HW_TEST", message: "no", attempts: 1 };
    await patiently(() => log.addDeadLetter(letter, why));
    assert.equal(await patiently(() => log.countDeadLetters()), 1);
    await until("the first record arrives", async () => received.length === 1);

    broker.signal("SIGSTOP");
    const hung = performance.now();
    await assert.rejects(log.checkHealth(), { message: "Kafka did not answer within 2500 ms." });
    assert.ok(performance.now() - hung < 5_000, "health took long to know");
    broker.signal("SIGCONT");

    await broker.kill("SIGKILL");
    const unavailable = { reason: "HW_KAFKA_UNAVAILABLE", code: status.UNAVAILABLE };
    const asked = performance.now();
    await assert.rejects(log.checkHealth(), unavailable);
    assert.ok(performance.now() - asked < 5_000, "health took long to know");
    await assert.rejects(log.append([record("t/lost", 0)]), unavailable);
    await assert.rejects(log.lag("g"), unavailable);
    await broker.restart();

    await patiently(() => log.append([record("t/1", 2)]));
    const giveUpAt = performance.now() + 90_000;
    while (!received.some((one) => versionOf(one) === 2) && performance.now() < giveUpAt) await delay(20);
    assert.ok(
      received.some((one) => versionOf(one) === 2),
      "receive did not go on",
    );
    await patiently(() => log.checkHealth());
    assert.equal(await patiently(() => log.countDeadLetters()), 1);
    await until("nothing is left", async () => behind(await patiently(() => log.lag("g"))) === 0);
    stop.abort();
    await working;
    await log.close();
    assert.ok(
      errors.every((error) => error.code === status.UNAVAILABLE),
      errors.map(String).join("\n"),
    );
  });
}
