import { join } from "node:path";

import { loadService } from "@headwater/load";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { openTls, startRpcServer } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { serviceBehind } from "@headwater/service";
import type { Telemetry } from "@headwater/telemetry";
import { openCache } from "./caches.ts";
import type { EmbeddingWorkerConfig } from "./config.ts";
import { Embedder } from "./embedder.ts";
import { createHandlers } from "./handlers.ts";
import { ThreadPool } from "./inference/thread-pool.ts";
import { createEmbeddingMetrics } from "./metrics.ts";
import { readEncoderFolder } from "./model/encoder-folder.ts";
import { readModelFolder, readTokenizerJson } from "./model/model-folder.ts";
import { TextTokenizer } from "./model/tokenizer.ts";
import { ModelHealth } from "./model-health.ts";
import { CrossEncoder } from "./rerank/cross-encoder.ts";
import { LateInteraction } from "./rerank/late-interaction.ts";
import { TokenEncoder } from "./rerank/token-encoder.ts";
import { TokenVectorStore } from "./rerank/token-vector-store.ts";
import { ModelMeter } from "./scheduling/model-meter.ts";
import { sampleIds } from "./scheduling/sample.ts";
import { Scheduler } from "./scheduling/scheduler.ts";
import { Throughput } from "./scheduling/throughput.ts";
import { warmUp } from "./warm-up.ts";

/** Tokens of the text that is tried after a failure. */
const probeTokens = 8;

/**
 * Starts the embedding-worker; resolves once the models are loaded, measured and warm, and the service serves.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_MODEL_…: a folder without a usable model cannot mend itself
 */
export async function startEmbeddingWorker(
  config: EmbeddingWorkerConfig,
  telemetry: Telemetry,
): Promise<RunningService> {
  const { log, tracer } = telemetry;
  const metrics = createEmbeddingMetrics(telemetry.metrics);
  const tls = openTls(config.tls, telemetry);
  const encoder = await readEncoderFolder(config.modelDir);
  const tokenizer = TextTokenizer.load(encoder.tokenizerFile, encoder.maxTokens);
  const tokenizerJson = await readTokenizerJson(encoder);
  const pairModel = config.rerankerDir === undefined ? undefined : await readModelFolder(config.rerankerDir);
  const pairTokenizer = pairModel && TextTokenizer.load(pairModel.tokenizerFile, pairModel.maxTokens);
  const models = {
    encoder,
    threads: config.threadsPerSession,
    ...(pairModel ? { crossEncoder: pairModel } : {}),
  };
  const engine = await ThreadPool.start(models, config.sessions, (err) =>
    log.error({ err }, "an inference thread ended"),
  );
  const closing: (() => Promise<void>)[] = [async () => tls?.close(), () => engine.close()];
  const close = async () => {
    for (const end of closing.splice(0).reverse()) await end();
  };
  try {
    const sample = await sampleIds(tokenizer, encoder.maxTokens);
    const pairSample =
      pairModel && pairTokenizer ? await sampleIds(pairTokenizer, pairModel.maxTokens) : undefined;
    const tuning = await warmUp({ engine, encoder, sample, pairSample, config });
    log.info({ model: encoder.name, fingerprint: encoder.fingerprint, ...tuning }, "the model is warm");

    const caches = {
      ...{ folder: join(config.dataDir, "cache"), settings: config.cacheSettings },
      ...{ metrics, telemetry },
    };
    const vectorCache = await openCache("vectors", {
      ...caches,
      size: { memoryBytes: config.cacheMemoryBytes, diskBytes: config.cacheDiskBytes },
    });
    closing.push(() => vectorCache.close());
    const tokenCache = await openCache("token_vectors", {
      ...caches,
      size: { memoryBytes: config.tokenCacheMemoryBytes, diskBytes: config.tokenCacheDiskBytes },
    });
    closing.push(() => tokenCache.close());
    const tokenVectors = new TokenVectorStore({
      cache: tokenCache,
      fingerprint: encoder.fingerprint,
      ingestBytes: config.tokenCacheIngest && !pairTokenizer ? config.tokenCacheDiskBytes : 0,
    });

    const health = new ModelHealth(engine, sample.subarray(0, probeTokens));
    const throughput = new Throughput(config.sessions, tuning.tokensPerSecond);
    const scheduler = new Scheduler({
      engine,
      limits: { tokens: tuning.batchTokens, texts: config.batchTexts },
      urgentQueueTokens: config.queryQueueTokens,
      throughput,
      metrics,
      tracer,
      onBatch: (failure) => health.record(failure),
    });
    const reranker = pairTokenizer
      ? new CrossEncoder(pairTokenizer, scheduler)
      : new LateInteraction({
          tokenEncoder: new TokenEncoder(tokenizer, scheduler, tokenVectors),
          tokenizer,
          engine,
          passagePrefix: encoder.passagePrefix,
          answerHead: encoder.answerHeadFile !== undefined,
        });
    const server = await startRpcServer({
      address: config.listen,
      config: config.rpc,
      tls,
      definition: EmbeddingServiceDefinition,
      implementation: createHandlers({
        encoder,
        tokenizerJson,
        embedder: new Embedder({ encoder, tokenizer, scheduler, cache: vectorCache, tokenVectors, metrics }),
        reranker,
        scheduler,
        throughput,
        batchTokens: tuning.batchTokens,
        streamTokens: config.streamTokens,
        queueTokens: config.queueTokens,
        metrics,
      }),
      further: [loadService({ model: new ModelMeter(scheduler, throughput) })],
      telemetry,
      checkReadiness: () => health.check(),
    });
    return serviceBehind(server, "embedding-worker", telemetry, close);
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
