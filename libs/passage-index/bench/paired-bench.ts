/**
 * What Elasticsearch's side of the paired index costs, against the bare client in the same run:
 *
 *   ELASTICSEARCH_URL=http://… node libs/passage-index/bench/paired-bench.ts [--documents 10000] [--batch 512]
 *
 * The vector engine is one in memory that does nothing, so that what is measured is Elasticsearch and the protocol.
 */
import { parseArgs } from "node:util";
import { Client } from "@elastic/elasticsearch";
import { median } from "@headwater/testing/median";
import { dimensions, sample } from "../conformance-documents.ts";
import type { VectorEngine } from "../engine.ts";
import { PairedIndex } from "../paired-index.ts";
import type { DocumentPassages } from "../passage-index.ts";
import { RevisionClock } from "../revision-clock.ts";
import { PairedServers } from "../testing/paired-servers.ts";

const { values } = parseArgs({
  options: { documents: { type: "string", default: "10000" }, batch: { type: "string", default: "512" } },
});
const address = process.env["ELASTICSEARCH_URL"];
if (!address) throw new Error("ELASTICSEARCH_URL is not set");

const prefix = `bench-${process.pid}`;
const description = { generation: "g", fingerprint: { model: "m", chunking: "c" }, dimensions };
const passagesOfDocument = 2;
const words =
  "wing flutter boundary layer shock wave laminar flow heat transfer plate cone body drag lift".split(" ");

function makeDocument(at: number, version: number): DocumentPassages {
  let seed = at * 31 + version;
  const word = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return `${words[(seed >>> 8) % words.length]}${(seed >>> 16) % 200 < 150 ? "" : (seed >>> 20) % 3000}`;
  };
  const texts = Array.from({ length: passagesOfDocument }, () => Array.from({ length: 200 }, word).join(" "));
  return sample({ id: `document-${at}`, title: `${word()} ${word()}`, texts, version, vector: [1] });
}

function* batches(version: number): Generator<DocumentPassages[]> {
  const documents = Number(values.documents);
  const size = Number(values.batch);
  for (let at = 0; at < documents; at += size)
    yield Array.from({ length: Math.min(size, documents - at) }, (_, place) =>
      makeDocument(at + place, version),
    );
}

/** Passages a second. */
async function rate(version: number, write: (batch: DocumentPassages[]) => Promise<void>): Promise<number> {
  let passages = 0;
  let milliseconds = 0;
  for (const batch of batches(version)) {
    const started = performance.now();
    await write(batch);
    milliseconds += performance.now() - started;
    passages += batch.length * passagesOfDocument;
  }
  return passages / (milliseconds / 1000);
}

/** Medians in milliseconds; the works take turns, so that what else the machine does falls on all of them. */
async function medians(runs: number, ...works: readonly (() => Promise<unknown>)[]): Promise<string[]> {
  const times = works.map((): number[] => []);
  for (let run = 0; run < runs; run += 1) {
    for (const [at, work] of works.entries()) {
      const started = performance.now();
      await work();
      times[at]?.push(performance.now() - started);
    }
  }
  return times.map((list) => median(list).toFixed(2));
}

const nothing: VectorEngine = {
  write: async () => {},
  removeBelow: async () => {},
  removeRevisions: async () => {},
  markVisible: async () => {},
  count: async () => 0,
  search: async () => [],
  list: async function* () {},
  optimize: async () => {},
};

const servers = await PairedServers.start(address);
const client = new Client({ node: address });
try {
  const { lexical: store } = servers.stores(prefix);
  const lexical = await store.create(description);
  const ledger = store.ledger(description.generation);
  const clock = new RevisionClock();
  const index = new PairedIndex({
    ...{ description, lexical, ledger, clock, vector: nothing, readOnly: false, onSearchFailed: () => {} },
  });
  // The same fields under the same mapping, without refresh or ledger.
  const bare = `${prefix}-bare`;
  const { [`${prefix}-passages-g`]: made } = await client.indices.getMapping({
    index: `${prefix}-passages-g`,
  });
  const { [`${prefix}-passages-g`]: set } = await client.indices.getSettings({
    index: `${prefix}-passages-g`,
  });
  await client.indices.create({
    ...{ index: bare, mappings: made?.mappings ?? {} },
    settings: { number_of_replicas: 0, analysis: set?.settings?.index?.analysis ?? {} },
  });
  const { toSource } = await import("../elastic-passage.ts");
  const bulk = async (batch: DocumentPassages[]) => {
    const operations = batch.flatMap(({ passages }) =>
      passages.flatMap((passage) => [
        { index: { _id: passage.id, routing: "default" } },
        toSource(passage, 1),
      ]),
    );
    const { errors } = await client.bulk({ index: bare, operations });
    if (errors) throw new Error("the bare bulk had errors");
  };
  await rate(0, bulk);
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const plain = await rate(1, bulk);
  const first = await rate(1, (batch) => index.replace(batch));
  const again = await rate(2, (batch) => index.replace(batch));
  const share = (value: number) => `${Math.round(value)} (${(value / plain).toFixed(2)} of the bare client)`;
  say(`bare client, bulk without refresh, passages/s: ${Math.round(plain)}`);
  say(`paired index, new documents, passages/s: ${share(first)}`);
  say(`paired index, new versions of them, passages/s: ${share(again)}`);

  const filter = { tenant: "default" };
  for (const limit of [10, 100]) {
    const hits = await lexical.search("boundary layer flow", filter, limit);
    const [engineMs, pairedMs, ledgerMs] = await medians(
      300,
      () => lexical.search("boundary layer flow", filter, limit),
      () => index.searchLexical("boundary layer flow", filter, limit),
      () => ledger.read(hits.map(({ passage }) => passage)),
    );
    say(
      `top ${limit}, ms p50: engine alone ${engineMs}, paired ${pairedMs}; the ledger's answer for ${hits.length} hits ${ledgerMs}`,
    );
  }
  await store.close();
} finally {
  await client.indices.delete({ index: `${prefix}-bare`, ignore_unavailable: true });
  await client.close();
  await servers.stop();
}
