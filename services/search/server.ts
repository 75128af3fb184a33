import { HeadwaterError, statusName } from "@headwater/errors";
import { demandingClient, EmbeddingDemand, loadService, StreamMeter } from "@headwater/load";
import { openPassageIndexStore } from "@headwater/passage-index";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { SearchRequest, SearchResponse } from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { createRpcClient, openTls, startRpcServer } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { serviceBehind } from "@headwater/service";
import type { QueryMetrics, Telemetry } from "@headwater/telemetry";
import { createQueryMetrics } from "@headwater/telemetry";
import type { CallContext } from "nice-grpc";
import { Admission } from "./admission.ts";
import type { SearchConfig } from "./config.ts";
import { EventQueue } from "./event-queue.ts";
import { createSearchMetrics } from "./metrics.ts";
import { underPressure } from "./pressure.ts";
import { QueryEmbedder } from "./query-embedder.ts";
import { RankingCache } from "./ranking-cache.ts";
import { Reranker } from "./reranker.ts";
import { Retrieval } from "./retrieval.ts";
import { planSearch } from "./search-plan.ts";
import { Searcher } from "./searcher.ts";
import { StepTimer } from "./step-timer.ts";

const kind = "search";

export async function startSearch(config: SearchConfig, telemetry: Telemetry): Promise<RunningService> {
  const queryMetrics = createQueryMetrics(telemetry.metrics, [kind], ["query_embedding"]);
  const admission = new Admission(config.admission);
  const metrics = createSearchMetrics(telemetry.metrics, admission);
  const store = await openPassageIndexStore(config.indexValues, {
    ...{ folder: config.indexFolder, readOnly: true },
    onError: (thrown) => telemetry.log.warn({ err: thrown }, "the index's upkeep failed"),
  });
  const tls = openTls(config.tls, telemetry);
  const streams = new StreamMeter();
  const demand = new EmbeddingDemand();
  const embedding = demandingClient(
    createRpcClient(EmbeddingServiceDefinition, config.embeddingAddress, { config: config.rpc, tls }),
    demand,
  );
  const embedder = new QueryEmbedder(embedding, queryMetrics, {
    timeoutMs: config.embedTimeoutMs,
    cacheEntries: config.queryCacheEntries,
  });
  const parts = {
    retrieval: new Retrieval(store, embedder),
    reranker: new Reranker(embedding),
    rankings: new RankingCache(config.pageCacheBytes),
    log: telemetry.log,
    metrics,
  };

  async function* search(request: SearchRequest, { signal }: CallContext): AsyncGenerator<SearchResponse> {
    const left = new AbortController();
    const until = AbortSignal.any([signal, left.signal]);
    const wanted = planSearch(request, config.defaults);
    const timer = new StepTimer(telemetry.tracer, metrics.stepSeconds);
    const { waitedMs, leave } = await admission.enter(until);
    timer.note("wait", waitedMs);
    const plan = underPressure(wanted, waitedMs, config.pressure);
    const events = new EventQueue<SearchResponse>();
    const searcher = new Searcher(parts, plan, timer, until, (response) => events.push(response));
    const done = searcher
      .run()
      .then(
        () => events.end(),
        (thrown: unknown) => events.fail(thrown),
      )
      .finally(leave);
    try {
      yield* events;
    } finally {
      left.abort();
      await done;
    }
  }

  const server = await startRpcServer({
    address: config.listen,
    config: config.rpc,
    tls,
    definition: SearchServiceDefinition,
    implementation: {
      search: (request: SearchRequest, context: CallContext) =>
        measured(queryMetrics, streams, context.signal, search(request, context)),
    },
    further: [loadService({ streams, embedding: demand })],
    telemetry,
    // Without the embedding-worker or one of the engines search still answers, and says what is missing.
    checkReadiness: () => store.checkHealth("any"),
  });

  return serviceBehind(server, "search", telemetry, async () => {
    embedding.close();
    tls?.close();
    await store.close();
  });
}

/** Counts a search, whatever becomes of it. */
async function* measured<T>(
  metrics: QueryMetrics,
  streams: StreamMeter,
  signal: AbortSignal,
  responses: AsyncGenerator<T>,
): AsyncGenerator<T> {
  const started = performance.now();
  metrics.queries.inc({ kind });
  metrics.active.inc({ kind });
  const leave = streams.enter();
  try {
    yield* responses;
    streams.answered((performance.now() - started) / 1000);
  } catch (thrown) {
    const code = signal.aborted ? "CANCELLED" : statusName(HeadwaterError.from(thrown).code);
    metrics.errors.inc({ kind, code });
    throw thrown;
  } finally {
    leave();
    metrics.active.dec({ kind });
    metrics.duration.observe({ kind }, (performance.now() - started) / 1000);
  }
}
