import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openEmbeddedBlobStore } from "@headwater/blob-store";
import type { DocumentLog } from "@headwater/document-log";
import { openSqliteDocumentLog } from "@headwater/document-log";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { temporaryFolder } from "@headwater/testing";
import { FakeEmbeddingWorker } from "../testing/fake-embedding-worker.ts";
import { eventually } from "../testing/ingest-harness.ts";
import { startProcess } from "../testing/ingest-process.ts";
import { MemoryIndexStore } from "../testing/memory-index.ts";

const records = await openPgliteRecordStore({ folder: undefined, schema: "ingest" });
after(() => records.close());
const tenant = "default";

/** Ingest on a log of one partition, which it loses when told to; whatever comes later is delivered all the same. */
async function start() {
  const log = await openSqliteDocumentLog({ folder: await temporaryFolder(), partitions: 1 });
  const blobs = await openEmbeddedBlobStore({ folder: await temporaryFolder() });
  const indexes = new MemoryIndexStore();
  const worker = new FakeEmbeddingWorker();
  await worker.start();
  const partition = loseOnDemand(log);
  const process = await startProcess({
    ...{ stores: { log: partition.log, records, blobs, indexes }, worker: worker.address },
  });
  await process.push({ warm: "x" });
  await process.settled();
  const close = async () => {
    await process.close(0);
    await worker.stop();
    await blobs.close();
    await log.close();
  };
  return { process, worker, partition, index: indexes.current, close };
}

interface LosablePartition {
  readonly log: DocumentLog;
  /** Records that were handed out. */
  readonly received: number;
  lose(): void;
}

function loseOnDemand(log: DocumentLog): LosablePartition {
  let received = 0;
  let revoked: (partitions: readonly number[]) => void = () => {};
  const subscribe: DocumentLog["subscribe"] = async (group) => {
    const consumer = await log.subscribe(group);
    return {
      async receive(limits, signal) {
        const records = await consumer.receive(limits, signal);
        received += records.length;
        return records;
      },
      commit: (position) => consumer.commit(position),
      close: () => consumer.close(),
      onRevoked(listener) {
        revoked = listener;
      },
    };
  };
  const losable = new Proxy(log, {
    get(target, name) {
      if (name === "subscribe") return subscribe;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    log: losable,
    get received() {
      return received;
    },
    lose: () => revoked([0]),
  };
}

test("what waits behind a document of a lost partition is called off with it", async () => {
  const { process, worker, partition, index, close } = await start();
  try {
    const gate = Promise.withResolvers<void>();
    worker.onRequest = ({ texts }) => (texts.includes("first") ? gate.promise : undefined);
    await process.push({ a: "first" }, 1);
    await process.push({ a: "second" }, 2);
    await eventually("the first version is embedded", () => process.processor.processed === 2);
    // With the one that was there before.
    await eventually("the second version waits", () => partition.received === 3);
    partition.lose();
    gate.resolve();
    await process.push({ b: "later" });
    await eventually("what came later is indexed", () => index.textsOf(tenant, "b").length === 1);
    assert.deepEqual(index.textsOf(tenant, "a"), []);
  } finally {
    await close();
  }
});
