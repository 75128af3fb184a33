import { HeadwaterError, status } from "@headwater/errors";
import { demandingClient, EmbeddingDemand, loadService, StreamMeter } from "@headwater/load";
import { ConversationServiceDefinition } from "@headwater/proto/services/headwater/v1/conversation";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { FeedbackServiceDefinition } from "@headwater/proto/services/headwater/v1/feedback";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { JobServiceDefinition } from "@headwater/proto/services/headwater/v1/job";
import { PromptServiceDefinition } from "@headwater/proto/services/headwater/v1/prompt";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { openRecordStore } from "@headwater/record-store";
import type { RpcClient, ServedService, TlsIdentity } from "@headwater/rpc";
import { createRpcClient, openTls, servedService } from "@headwater/rpc";
import type { Telemetry } from "@headwater/telemetry";
import { createAdmission } from "./admission.ts";
import { createAgents } from "./agents/agents.ts";
import { createSentenceRanker } from "./answer/sentence-ranking.ts";
import type { GenerationConfig } from "./config.ts";
import { openConversations } from "./conversations/open-conversations.ts";
import { FeedbackHandlers } from "./feedback/feedback-handlers.ts";
import { FeedbackStore } from "./feedback/feedback-store.ts";
import { GenerationHandlers } from "./generation-handlers.ts";
import { openJobs } from "./jobs/open-jobs.ts";
import { openMemory } from "./memory/open-memory.ts";
import { createGenerationMetrics } from "./metrics.ts";
import { migrations } from "./migrations.ts";
import { createModels } from "./models/models.ts";
import { PromptHandlers } from "./prompts/prompt-handlers.ts";
import { Prompts } from "./prompts/prompts.ts";
import { createBuiltInTools } from "./tools/built-in-tools.ts";
import { createExternalTools } from "./tools/external-tools.ts";
import { createToolRegistry } from "./tools/tool-registry.ts";
import { createAnswerTurn } from "./turns/answer-turn.ts";

/** What generation is made of, open and ready to be served. */
export interface GenerationParts {
  readonly handlers: GenerationHandlers;
  /** The services beside GenerationService. */
  readonly further: readonly ServedService[];
  /** undefined: plain text. */
  readonly tls: TlsIdentity | undefined;
  /** Begins with work that nobody calls for. @param address host:port of this service */
  start(address: string): Promise<void>;
  /** @throws HeadwaterError UNAVAILABLE while something that is needed is away */
  checkReadiness(): Promise<void>;
  close(): Promise<void>;
}

const connectTimeoutMs = 1000;
/** Milliseconds for jobs to be handed back. */
const jobGraceMs = 2000;

/** Opens the parts one after the other; what was opened is closed backwards, also where a later one fails to open. */
export async function openParts(config: GenerationConfig, telemetry: Telemetry): Promise<GenerationParts> {
  await using opening = new AsyncDisposableStack();
  const tls = openTls(config.tls, telemetry);
  opening.defer(() => tls?.close());
  const records = opening.adopt(
    await openRecordStore(config.records, {
      folder: config.recordsFolder,
      schema: "generation",
      onError: (thrown) => telemetry.log.warn({ err: thrown }, "the record store's upkeep failed"),
    }),
    (store) => store.close(),
  );
  await records.migrate(migrations);
  const connect = <Client extends { close(): void }>(client: Client) =>
    opening.adopt(client, (opened) => opened.close());
  const { rpc } = config;
  const search = connect(
    createRpcClient(SearchServiceDefinition, config.searchAddress, { config: rpc, tls }),
  );
  const ingest = connect(
    createRpcClient(IngestServiceDefinition, config.ingestAddress, { config: rpc, tls }),
  );
  const streams = new StreamMeter();
  const demand = new EmbeddingDemand();
  const embedding = demandingClient(
    connect(createRpcClient(EmbeddingServiceDefinition, config.embeddingAddress, { config: rpc, tls })),
    demand,
  );

  const rank = createSentenceRanker(embedding, config.rankBudgetMs, telemetry);
  const models = opening.adopt(createModels(config, rank, telemetry), (opened) => opened.close());
  const names = models.all.map(({ name }) => name);
  const metrics = createGenerationMetrics(telemetry.metrics, names, streams);
  const prompts = await Prompts.open(records);
  const answerTools = { search, rank, prompts, metrics, telemetry };
  const answerTurn = createAnswerTurn(answerTools);
  const memory = opening.adopt(
    openMemory(config.memory, { records, embedding, model: models.default, telemetry }),
    (opened) => opened.close(),
  );
  const registry = opening.adopt(
    createToolRegistry([
      ...createBuiltInTools({ search, ingest }),
      ...(await createExternalTools(config.tools, telemetry)),
    ]),
    (opened) => opened.close(),
  );
  const agents = createAgents(records, models, {
    ...{ registry, rank, prompts, metrics, answer: answerTurn },
    ...config.agents,
  });
  const admission = createAdmission(config.maxAnswers, streams);
  const conversations = opening.adopt(
    await openConversations(records, config, {
      ...{ models, admission, metrics, telemetry, memory: memory.turns },
      runners: { answer: answerTurn, findAgent: agents.find },
    }),
    (opened) => opened.close(),
  );
  const feedback = new FeedbackStore(records);
  const jobs = opening.adopt(
    await openJobs({
      ...{ records, search, ingest, feedback, telemetry, tls },
      allowPrivate: config.jobsAllowPrivate,
    }),
    (opened) => opened.close(jobGraceMs),
  );

  const opened = opening.move();
  return {
    tls,
    handlers: new GenerationHandlers(models, admission, answerTools),
    further: [
      servedService(ConversationServiceDefinition, conversations.handlers),
      agents.service,
      memory.service,
      servedService(PromptServiceDefinition, new PromptHandlers(prompts)),
      servedService(FeedbackServiceDefinition, new FeedbackHandlers(feedback, telemetry.metrics)),
      servedService(JobServiceDefinition, jobs.handlers),
      loadService({ streams, embedding: demand }),
    ],
    start: (address) => jobs.start(address),
    // The embedding-worker is not asked for: without it, answers are made by words alone.
    async checkReadiness() {
      await checkSearch(search);
      await records.checkHealth();
    },
    close: () => opened.disposeAsync(),
  };
}

async function checkSearch(search: RpcClient<SearchServiceDefinition>): Promise<void> {
  try {
    await search.waitUntilConnected(connectTimeoutMs);
  } catch (cause) {
    throw new HeadwaterError({
      code: status.UNAVAILABLE,
      reason: "HW_SEARCH_UNAVAILABLE",
      message: "The search service cannot be reached.",
      action: "Check that it runs and that HEADWATER_SEARCH_ADDRESS is right.",
      cause,
    });
  }
}
