/** The fake embedding-worker as a process of its own, with the real tokenizer; says "listening" as services do. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { FakeEmbeddingWorker } from "../../services/ingest/testing/fake-embedding-worker.ts";

const tokenizer = new URL("../../models/bge-small-en-v1.5-int8/tokenizer.json", import.meta.url);
/** Milliseconds a text: as slow as a real one on small documents, so that a fault finds work at every stage. */
const paceMs = 4;

const worker = new FakeEmbeddingWorker(process.env["HEADWATER_EMBEDDING_LISTEN"]);
worker.tokenizerJson = await readFile(tokenizer);
worker.onRequest = ({ texts }) => delay(texts.length * paceMs);
await worker.start();
process.stderr.write(`${JSON.stringify({ msg: "listening", address: worker.address })}\n`);
await once(process, "SIGTERM");
await worker.stop();
