import { HeadwaterError, status, statusName } from "@headwater/errors";
import { ConversationServiceDefinition } from "@headwater/proto/services/headwater/v1/conversation";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { FeedbackServiceDefinition } from "@headwater/proto/services/headwater/v1/feedback";
import type {
  AnswerResponse,
  DeepPartial,
  GenerationServiceImplementation,
} from "@headwater/proto/services/headwater/v1/generation";
import { GenerationServiceDefinition } from "@headwater/proto/services/headwater/v1/generation";
import { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import { JobServiceDefinition } from "@headwater/proto/services/headwater/v1/job";
import { PromptServiceDefinition } from "@headwater/proto/services/headwater/v1/prompt";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { openRecordStore } from "@headwater/record-store";
import type { RpcContext } from "@headwater/rpc";
import { createRpcClient, servedService, startRpcServer } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { serviceBehind } from "@headwater/service";
import type { Telemetry } from "@headwater/telemetry";
import { generateInRequestContext, requestContext } from "@headwater/telemetry";
import type { Admission } from "./admission.ts";
import { createAdmission } from "./admission.ts";
import { createAgents } from "./agents/agents.ts";
import type { AnswerTools } from "./answer/answer.ts";
import { answer } from "./answer/answer.ts";
import { checkRequest } from "./answer/request.ts";
import { createSentenceRanker } from "./answer/sentence-ranking.ts";
import type { GenerationConfig } from "./config.ts";
import type { OpenConversations } from "./conversations/open-conversations.ts";
import { openConversations } from "./conversations/open-conversations.ts";
import { FeedbackHandlers } from "./feedback/feedback-handlers.ts";
import { FeedbackStore } from "./feedback/feedback-store.ts";
import type { OpenJobs } from "./jobs/open-jobs.ts";
import { openJobs } from "./jobs/open-jobs.ts";
import { openMemory } from "./memory/open-memory.ts";
import { createGenerationMetrics } from "./metrics.ts";
import { migrations } from "./migrations.ts";
import type { Models } from "./models/models.ts";
import { createModels } from "./models/models.ts";
import { PromptHandlers } from "./prompts/prompt-handlers.ts";
import { Prompts } from "./prompts/prompts.ts";
import { createBuiltInTools } from "./tools/built-in-tools.ts";
import { createExternalTools } from "./tools/external-tools.ts";
import { createToolRegistry } from "./tools/tool-registry.ts";
import { createAnswerTurn } from "./turns/answer-turn.ts";

const connectTimeoutMs = 1000;
/** Milliseconds for jobs to be handed back. */
const jobGraceMs = 2000;

export async function startGeneration(
  config: GenerationConfig,
  telemetry: Telemetry,
): Promise<RunningService> {
  const records = await openRecordStore(config.records, {
    folder: config.recordsFolder,
    schema: "generation",
    onError: (thrown) => telemetry.log.warn({ err: thrown }, "the record store's upkeep failed"),
  });
  const search = createRpcClient(SearchServiceDefinition, config.searchAddress);
  const ingest = createRpcClient(IngestServiceDefinition, config.ingestAddress);
  const embedding = createRpcClient(EmbeddingServiceDefinition, config.embeddingAddress);
  const rank = createSentenceRanker(embedding, config.rankBudgetMs, telemetry);
  const models = createModels(config, rank, telemetry);
  const metrics = createGenerationMetrics(
    telemetry.metrics,
    models.all.map(({ name }) => name),
  );
  const memory = openMemory(config.memory, { records, embedding, model: models.default, telemetry });
  const registry = createToolRegistry([
    ...createBuiltInTools({ search, ingest }),
    ...createExternalTools(config.tools, telemetry),
  ]);
  let conversations: OpenConversations | undefined;
  let jobs: OpenJobs | undefined;
  const closeClients = async () => {
    await jobs?.close(jobGraceMs);
    await conversations?.close();
    await registry.close();
    await memory.close();
    await models.close();
    search.close();
    ingest.close();
    embedding.close();
    await records.close();
  };

  try {
    await records.migrate(migrations);
    const prompts = await Prompts.open(records);
    const tools = { search, rank, prompts, metrics, telemetry };
    const answerTurn = createAnswerTurn(tools);
    const agents = createAgents(records, models, {
      ...{ registry, rank, prompts, answer: answerTurn },
      ...config.agents,
    });
    const admission = createAdmission(config.maxAnswers);
    conversations = await openConversations(records, config, {
      ...{ models, admission, metrics, telemetry, memory: memory.turns },
      runners: { answer: answerTurn, findAgent: agents.find },
    });
    const feedback = new FeedbackStore(records);
    jobs = await openJobs({
      ...{ records, search, ingest, feedback, telemetry },
      allowPrivate: config.jobsAllowPrivate,
    });
    const server = await startRpcServer({
      address: config.listen,
      definition: GenerationServiceDefinition,
      implementation: implement(models, admission, tools),
      further: [
        servedService(ConversationServiceDefinition, conversations.handlers),
        agents.service,
        memory.service,
        servedService(PromptServiceDefinition, new PromptHandlers(prompts)),
        servedService(FeedbackServiceDefinition, new FeedbackHandlers(feedback)),
        servedService(JobServiceDefinition, jobs.handlers),
      ],
      telemetry,
      // The embedding-worker is not asked for: without it, answers are made by words alone.
      checkReadiness: async () => {
        await checkSearch(search);
        await records.checkHealth();
      },
    });
    await jobs.start(server.address);
    return serviceBehind(server, "generation", telemetry, closeClients);
  } catch (thrown) {
    await closeClients();
    throw thrown;
  }
}

function implement(
  models: Models,
  admission: Admission,
  tools: AnswerTools,
): GenerationServiceImplementation<RpcContext> {
  const { metrics } = tools;
  return {
    async *answer(request, context): AsyncGenerator<DeepPartial<AnswerResponse>> {
      const kind = "answer";
      const stopTimer = metrics.duration.startTimer({ kind });
      metrics.queries.inc({ kind });
      metrics.active.inc({ kind });
      let leave: (() => void) | undefined;
      try {
        const checked = checkRequest(request);
        const model = request.model === "" ? models.default : models.find(request.model);
        leave = admission.enter();
        const requestId = requestContext()?.requestId ?? "";
        yield* generateInRequestContext(
          { requestId, tenant: checked.tenant },
          answer(checked, model, tools, context.signal),
        );
      } catch (thrown) {
        if (!context.signal.aborted) {
          metrics.errors.inc({ kind, code: statusName(HeadwaterError.from(thrown).code) });
        }
        throw thrown;
      } finally {
        leave?.();
        metrics.active.dec({ kind });
        stopTimer();
      }
    },
    async listModels() {
      return {
        models: models.all.map(({ name, provider, toolCalling, contextTokens = 0 }) => ({
          name,
          provider,
          toolCalling,
          contextTokens,
          isDefault: name === models.default.name,
          fallbacks: [...models.fallbacksOf(name)],
        })),
      };
    },
  };
}

async function checkSearch(search: AnswerTools["search"]): Promise<void> {
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
