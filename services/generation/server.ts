import { HeadwaterError, status, statusName } from "@headwater/errors";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type {
  AnswerResponse,
  DeepPartial,
  GenerationServiceImplementation,
} from "@headwater/proto/services/headwater/v1/generation";
import { GenerationServiceDefinition } from "@headwater/proto/services/headwater/v1/generation";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import type { RpcContext } from "@headwater/rpc";
import { createRpcClient, startRpcServer } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { serviceBehind } from "@headwater/service";
import type { Telemetry } from "@headwater/telemetry";
import { generateInRequestContext, requestContext } from "@headwater/telemetry";
import type { Admission } from "./admission.ts";
import { createAdmission } from "./admission.ts";
import type { AnswerTools } from "./answer.ts";
import { answer } from "./answer.ts";
import type { GenerationConfig } from "./config.ts";
import { createGenerationMetrics } from "./metrics.ts";
import type { Models } from "./models.ts";
import { createModels } from "./models.ts";
import { checkRequest } from "./request.ts";
import { createSentenceRanker } from "./sentence-ranking.ts";

const connectTimeoutMs = 1000;

export async function startGeneration(
  config: GenerationConfig,
  telemetry: Telemetry,
): Promise<RunningService> {
  const search = createRpcClient(SearchServiceDefinition, config.searchAddress);
  const embedding = createRpcClient(EmbeddingServiceDefinition, config.embeddingAddress);
  const rank = createSentenceRanker(embedding, config.rankBudgetMs, telemetry);
  const models = createModels(config, rank);
  const metrics = createGenerationMetrics(
    telemetry.metrics,
    models.all.map(({ name }) => name),
  );
  const tools = { search, rank, metrics, telemetry };
  const closeClients = async () => {
    await models.close();
    search.close();
    embedding.close();
  };

  try {
    const server = await startRpcServer({
      address: config.listen,
      definition: GenerationServiceDefinition,
      implementation: implement(models, createAdmission(config.maxAnswers), tools),
      telemetry,
      // The embedding-worker is not asked for: without it, answers are made by words alone.
      checkReadiness: () => checkSearch(search),
    });
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
        models: models.all.map(({ name, provider }) => ({
          name,
          provider,
          isDefault: name === models.default.name,
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
