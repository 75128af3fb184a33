import { HeadwaterError, statusName } from "@headwater/errors";
import type {
  AnswerRequest,
  AnswerResponse,
  DeepPartial,
  GenerationServiceImplementation,
} from "@headwater/proto/services/headwater/v1/generation";
import type { RpcContext } from "@headwater/rpc";
import { generateInRequestContext, requestContext } from "@headwater/telemetry";
import type { CallContext } from "nice-grpc";
import type { Admission } from "./admission.ts";
import type { AnswerTools } from "./answer/answer.ts";
import { answer } from "./answer/answer.ts";
import { checkRequest } from "./answer/request.ts";
import type { Models } from "./models/models.ts";

/** The rpcs of GenerationService. */
export class GenerationHandlers implements GenerationServiceImplementation<RpcContext> {
  readonly #models: Models;
  readonly #admission: Admission;
  readonly #tools: AnswerTools;

  constructor(models: Models, admission: Admission, tools: AnswerTools) {
    this.#models = models;
    this.#admission = admission;
    this.#tools = tools;
  }

  async *answer(
    request: AnswerRequest,
    context: CallContext & RpcContext,
  ): AsyncGenerator<DeepPartial<AnswerResponse>> {
    const { metrics } = this.#tools;
    const kind = "answer";
    const stopTimer = metrics.duration.startTimer({ kind });
    metrics.queries.inc({ kind });
    metrics.active.inc({ kind });
    let leave: (() => void) | undefined;
    try {
      const checked = checkRequest(request);
      const model = request.model === "" ? this.#models.default : this.#models.find(request.model);
      leave = this.#admission.enter();
      const requestId = requestContext()?.requestId ?? "";
      yield* generateInRequestContext(
        { requestId, tenant: checked.tenant },
        answer(checked, model, this.#tools, context.signal),
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
  }

  async listModels() {
    const { all, default: usual } = this.#models;
    return {
      models: all.map(({ name, provider, toolCalling, contextTokens = 0 }) => ({
        ...{ name, provider, toolCalling, contextTokens },
        isDefault: name === usual.name,
        fallbacks: [...this.#models.fallbacksOf(name)],
      })),
    };
  }
}
