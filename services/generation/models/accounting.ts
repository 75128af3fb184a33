import { HeadwaterError, statusName } from "@headwater/errors";
import type { LanguageModel, ModelEvent, ModelRequest, ModelUsage } from "@headwater/language-model";
import { estimateTokens } from "@headwater/text";
import type { ModelMetrics } from "./model-metrics.ts";
import type { Prices } from "./model-settings.ts";

type Tokens = Pick<ModelUsage, "inputTokens" | "outputTokens">;

/**
 * Puts the price on what a model used, and counts it. A stream that is left or breaks off after it began costs too; no
 * service tells then how much, so it is estimated.
 *
 * @param requestModel the service's own name of the model
 */
export function withAccounting(
  model: LanguageModel,
  requestModel: string,
  prices: Prices,
  metrics: ModelMetrics,
): LanguageModel {
  const operation = {
    gen_ai_operation_name: "chat",
    gen_ai_provider_name: model.provider,
    gen_ai_request_model: requestModel,
  };
  const count = ({ inputTokens, outputTokens }: Tokens): number => {
    const cost = (inputTokens * prices.input + outputTokens * prices.output) / 1e6;
    metrics.tokens.inc({ model: model.name, direction: "input" }, inputTokens);
    metrics.tokens.inc({ model: model.name, direction: "output" }, outputTokens);
    metrics.cost.inc({ model: model.name }, cost);
    metrics.tokenUsage.observe({ ...operation, gen_ai_token_type: "input" }, inputTokens);
    metrics.tokenUsage.observe({ ...operation, gen_ai_token_type: "output" }, outputTokens);
    return cost;
  };
  return {
    ...model,
    async *generate(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
      const started = performance.now();
      // Undefined before the first event and after the last: then there is nothing to be estimated.
      let written: string | undefined;
      let failure: string | undefined;
      try {
        for await (const event of model.generate(request, signal)) {
          if (event.type === "finish") {
            written = undefined;
            yield { ...event, usage: { ...event.usage, cost: count(event.usage) } };
          } else {
            written = (written ?? "") + textOf(event);
            yield event;
          }
        }
      } catch (thrown) {
        failure = statusName(HeadwaterError.from(thrown).code);
        throw thrown;
      } finally {
        if (written !== undefined) count(estimate(request, written));
        const errorType = failure === undefined ? {} : { error_type: failure };
        metrics.operationDuration.observe(
          { ...operation, ...errorType },
          (performance.now() - started) / 1000,
        );
      }
    },
  };
}

function textOf(event: ModelEvent): string {
  if (event.type === "text" || event.type === "thought") return event.text;
  return event.type === "tool-call" ? event.call.arguments : "";
}

function estimate({ messages }: ModelRequest, written: string): Tokens {
  return {
    inputTokens: messages.reduce((sum, { text }) => sum + estimateTokens(text), 0),
    outputTokens: estimateTokens(written),
  };
}
