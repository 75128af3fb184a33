import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { readEmbeddingWorkerConfig } from "../config.ts";
import { writeTinyEncoder } from "../testing/tiny-models.ts";
import { benchEmbedding } from "./embedding-bench.ts";

test("measures raw loop and stream on the same texts, and says how they compare", async () => {
  const folder = await temporaryFolder();
  const config = readEmbeddingWorkerConfig({
    HEADWATER_DATA_DIR: join(folder, "data"),
    HEADWATER_EMBEDDING_MODEL_DIR: await writeTinyEncoder(join(folder, "model")),
    HEADWATER_EMBEDDING_THREADS: "2",
  });
  const lines: string[] = [];
  const texts = Array.from({ length: 120 }, (_, index) => `river ${"sea ".repeat(index % 7)}fish`);
  const result = await benchEmbedding({ config, texts, rounds: 2, onProgress: (line) => lines.push(line) });
  assert.equal(result.texts, 120);
  assert(result.tokens > 120 * 4);
  assert.equal(result.sweep.length, 10);
  assert.equal(result.raw.tokensPerSecond > 0 && result.stream.tokensPerSecond > 0, true);
  assert.equal(result.ratios.length, 2);
  assert(result.ratio > 0 && result.processorRatio > 0);
  assert.equal(lines.length, 12);
});
