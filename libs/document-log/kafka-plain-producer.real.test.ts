import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { realServer } from "@headwater/testing";
import { receiveCount } from "./conformance-helpers.ts";
import { openTestLog, removeTestTopics, testOptions } from "./kafka-testing.ts";
import { partitionOf } from "./partitioner.ts";

const brokers = realServer("KAFKA_BROKERS");
/** Folder with the jars of Kafka, server and client. */
const jars = realServer("KAFKA_JARS");

if (brokers && jars) {
  after(() => removeTestTopics(brokers));
  for (const compression of ["none", "gzip", "snappy", "lz4", "zstd"]) {
    test(`Kafka's Java producer, compression ${compression}: its records land where ours do`, async (context) => {
      const name = `java-${randomUUID()}`;
      const log = await openTestLog(brokers, name);
      context.after(() => log.close());
      const keys = Array.from({ length: 20 }, (_, i) => `acme/dokument-ü-${i}`);
      const values = keys.map((key) => JSON.stringify({ id: key, title: "x".repeat(2_000) }));
      const lines = [...keys.map((key, i) => `${key}\t${values[i]}`), "acme/gone"];
      const written = await produce(brokers, testOptions(brokers, name).topics.topic, compression, lines);
      const received = await receiveCount(await log.subscribe("g"), lines.length);
      for (const [i, line] of lines.entries()) {
        const [key = "", value] = line.split("\t");
        const found = received.find((record) => record.key === key) ?? assert.fail(`missing: ${key}`);
        assert.deepEqual({ partition: found.partition, offset: found.offset }, written[i]);
        assert.equal(found.partition, partitionOf(key, log.partitions));
        assert.equal(found.value && Buffer.from(found.value).toString(), value ?? null);
        assert.deepEqual({ ...found.headers }, { "content-type": "application/json" });
      }
    });
  }
}

/** @returns where each line landed */
async function produce(brokers: string, topic: string, compression: string, lines: readonly string[]) {
  const source = join(import.meta.dirname, "fixtures", "PlainProducer.java");
  const options = ["-cp", join(jars ?? "", "*"), "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"];
  const child = spawn("java", [...options, source, brokers, topic, compression], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(`${lines.join("\n")}\n`);
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.equal(code, 0);
  return output
    .trim()
    .split("\n")
    .map((line) => {
      const [partition, offset] = line.split(" ");
      return { partition: Number(partition), offset: Number(offset) };
    });
}
