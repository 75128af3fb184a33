import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ServiceProcess } from "@headwater/cli/service-process";
import { openLancePassageIndexStore } from "@headwater/passage-index/embedded";
import { DocumentState, IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { createRpcClient } from "@headwater/rpc";
import { FakeEmbeddingWorker } from "../../services/ingest/testing/fake-embedding-worker.ts";
import type { Expected } from "./workload.ts";
import { makeWorkload, outcomeOf, send } from "./workload.ts";

const tokenizer = fileURLToPath(
  new URL("../../models/bge-small-en-v1.5-int8/tokenizer.json", import.meta.url),
);

export interface KillOptions {
  /** Made for this; must be empty. */
  readonly folder: string;
  readonly kills: number;
  readonly documents: number;
  /** 0 to 1; replaces Math.random. */
  readonly random?: () => number;
  readonly onProgress?: (message: string) => void;
}

/** Milliseconds that a process may live; begins when it listens, which is before it works. */
const life = { shortest: 300, longest: 3000 };

/**
 * Kills the ingest service (-9) at random moments while documents are pushed, changed and deleted, starts it again
 * each time, and asserts at the end that every document is in both indexes exactly once, in its last version, and
 * nothing else is. The process under test is the real one, on its embedded stores; only the vectors are fake.
 */
export async function killIngest(options: KillOptions): Promise<void> {
  const { folder, kills, documents, random = Math.random, onProgress = () => {} } = options;
  const worker = new FakeEmbeddingWorker();
  worker.tokenizerJson = await readFile(tokenizer);
  // As slow as a real one on small documents, so that a kill finds work at every stage.
  worker.onRequest = ({ texts }) => delay(texts.length * 4);
  await worker.start();
  let child: ServiceProcess | undefined;
  try {
    const steps = makeWorkload(documents);
    let sent = 0;
    for (let kill = 1; kill <= kills; kill += 1) {
      child = await startIngest(folder, worker.address);
      const client = createRpcClient(IngestServiceDefinition, child.address);
      // Some of the steps in each life, so that no life is without work.
      const until = Math.ceil((steps.length * kill) / kills);
      const sending = send(client, steps.slice(sent, until));
      const lived = life.shortest + random() * (life.longest - life.shortest);
      await delay(lived);
      await child.kill();
      sent += await sending;
      client.close();
      onProgress(
        `kill ${kill} after ${Math.round(lived)} ms: ${sent} of ${steps.length} steps are in the log`,
      );
    }
    child = await startIngest(folder, worker.address);
    await finish(child, steps.slice(sent), outcomeOf(steps));
    await child.stop();
    await assertIndexes(folder, outcomeOf(steps));
    onProgress("every document is in both indexes exactly once");
  } finally {
    await child?.kill();
    await worker.stop();
  }
}

function startIngest(dataFolder: string, embeddingAddress: string): Promise<ServiceProcess> {
  return ServiceProcess.start("ingest", {
    HEADWATER_DATA_DIR: dataFolder,
    HEADWATER_EMBEDDING_ADDRESS: embeddingAddress,
    HEADWATER_INGEST_LISTEN: "127.0.0.1:0",
  });
}

async function finish(
  child: ServiceProcess,
  rest: Parameters<typeof send>[1],
  expected: Expected,
): Promise<void> {
  const client = createRpcClient(IngestServiceDefinition, child.address);
  try {
    assert.equal(await send(client, rest), rest.length);
    let lag = 1;
    for (let tries = 0; lag > 0 && tries < 1200; tries += 1) {
      await delay(50);
      const { partitions } = await client.call.getPipeline({});
      lag = partitions.reduce((sum, { endOffset, committedOffset }) => sum + endOffset - committedOffset, 0);
    }
    assert.equal(lag, 0, "events are left in the log");
    for (const [id, { version }] of expected) {
      const { document } = await client.call.getDocument({ id });
      assert.deepEqual(
        [id, document?.state, document?.metadata?.version],
        [id, DocumentState.INDEXED, version],
      );
    }
    const { deadLetters } = await client.call.listDeadLetters({});
    assert.deepEqual(deadLetters, []);
    const { documents } = await client.call.getPipeline({});
    assert.deepEqual(
      documents.find(({ state }) => state === DocumentState.INDEXED)?.documents,
      expected.size,
    );
  } finally {
    client.close();
  }
}

/** Looks at the indexes on disk, past the service that wrote them. */
async function assertIndexes(folder: string, expected: Expected): Promise<void> {
  const store = await openLancePassageIndexStore({ folder: join(folder, "index"), readOnly: true });
  try {
    const index = await store.active();
    assert(index, "there is an index");
    const seen = new Map<string, number>();
    for await (const { documentId, version, lexicalPassages, vectorPassages } of index.listDocuments()) {
      assert(!seen.has(documentId), `${documentId} is there in two versions`);
      seen.set(documentId, version);
      assert.equal(lexicalPassages, vectorPassages, documentId);
    }
    const wanted = new Map([...expected].map(([id, { version }]) => [id, version]));
    assert.deepEqual(new Map([...seen].sort()), new Map([...wanted].sort()));
    await assertPassages(index, expected);
  } finally {
    await store.close();
  }
}

/** Each document is covered by its passages without a gap, none of them twice. */
async function assertPassages(
  index: NonNullable<Awaited<ReturnType<Awaited<ReturnType<typeof openLancePassageIndexStore>>["active"]>>>,
  expected: Expected,
): Promise<void> {
  let total = 0;
  for (const [id, { version, text }] of expected) {
    const hits = await index.searchLexical("paragraph", { tenant: "default", documentIds: [id] }, 1000);
    const ordinals = hits.map(({ passage }) => passage.ordinal).sort((a, b) => a - b);
    assert.deepEqual(ordinals, [...ordinals.keys()], `passages of ${id}`);
    assert(
      hits.every(({ passage }) => passage.version === version && text.includes(passage.text.slice(0, 50))),
    );
    total += hits.length;
  }
  assert.equal(await index.count(), total);
}
