import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { status } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import { temporaryFolder } from "@headwater/testing";
import { documentLogSettings, readConnection, readTopics } from "./kafka-settings.ts";
import { createDocumentLogTopics, openDocumentLog } from "./open-document-log.ts";

const folder = await temporaryFolder();
const read = (env: Record<string, string>) => readSettings(documentLogSettings, env);

test("without brokers the log is the embedded one", async () => {
  const values = read({});
  await createDocumentLogTopics(values);
  const log = await openDocumentLog(values, { folder: join(folder, "log"), partitions: 3 });
  assert.equal(log.partitions, 3);
  await log.close();
});

test("brokers that do not answer are named, and no embedded log is opened in their place", async () => {
  const values = read({
    ...{ HEADWATER_KAFKA_BROKERS: "127.0.0.1:1", HEADWATER_KAFKA_CONNECT_TIMEOUT_MS: "200" },
  });
  await assert.rejects(openDocumentLog(values, { folder }), {
    ...{ reason: "HW_KAFKA_UNAVAILABLE", code: status.UNAVAILABLE },
    message: /127\.0\.0\.1:1/,
  });
  await assert.rejects(createDocumentLogTopics(values), { reason: "HW_KAFKA_UNAVAILABLE" });
});

test("settings become a connection and topics", async () => {
  const passwordFile = join(folder, "password");
  const authorityFile = join(folder, "ca.pem");
  await writeFile(passwordFile, "secret\n");
  const authority = "-----BEGIN CERTIFICATE-----\n";
  await writeFile(authorityFile, authority);
  const values = read({
    HEADWATER_KAFKA_BROKERS: "one:9092, [::1]:9093",
    HEADWATER_KAFKA_TOPIC: "docs",
    HEADWATER_KAFKA_USERNAME: "ingest",
    HEADWATER_KAFKA_PASSWORD_FILE: passwordFile,
    HEADWATER_KAFKA_TLS: "true",
    HEADWATER_KAFKA_CA_FILE: authorityFile,
  });
  const connection = readConnection("one:9092, [::1]:9093", values);
  assert.deepEqual(connection.brokers, ["one:9092", "[::1]:9093"]);
  assert.deepEqual(connection.tls, { ca: authority });
  assert.deepEqual(connection.sasl, {
    ...{ mechanism: "scram-sha-512", username: "ingest", password: "secret" },
  });
  const { topic, deadLetterTopic, partitions } = readTopics(values, 5);
  assert.deepEqual([topic, deadLetterTopic, partitions], ["docs", "docs.dead-letters", 5]);
});

test("what does not go together is refused by name", () => {
  for (const [env, named] of [
    [{ HEADWATER_KAFKA_USERNAME: "ingest" }, /HEADWATER_KAFKA_PASSWORD/],
    [{ HEADWATER_KAFKA_PASSWORD: "secret" }, /HEADWATER_KAFKA_USERNAME/],
    [{ HEADWATER_KAFKA_TLS: "true", HEADWATER_KAFKA_CERTIFICATE_FILE: "x" }, /go together/],
    [{ HEADWATER_KAFKA_TLS: "true", HEADWATER_KAFKA_CA_FILE: join(folder, "no") }, /HEADWATER_KAFKA_CA_FILE/],
  ] as const)
    assert.throws(() => readConnection("one:9092", read(env)), {
      reason: "HW_SETTINGS_INVALID",
      message: named,
    });
  for (const brokers of ["one", "one:9092,", "http://one:9092"])
    assert.throws(() => read({ HEADWATER_KAFKA_BROKERS: brokers }), { reason: "HW_SETTINGS_INVALID" });
});
