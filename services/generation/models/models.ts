import { invalidArgument } from "@headwater/errors";
import type { LanguageModel } from "@headwater/language-model";
import { createExtractiveModel } from "@headwater/language-model";
import type { Telemetry } from "@headwater/telemetry";
import type { RankSentences } from "../answer/sentence-ranking.ts";
import type { GenerationConfig } from "../config.ts";
import { withAccounting } from "./accounting.ts";
import { withFallbacks } from "./fallbacks.ts";
import { createModelMetrics } from "./model-metrics.ts";
import type { ModelSettings } from "./model-settings.ts";
import { extractiveName } from "./model-settings.ts";
import { withModelSpan } from "./model-span.ts";
import { withPlaces } from "./places.ts";
import { withRetries } from "./retries.ts";
import { createServiceModel } from "./service-model.ts";

/** The language models that a request may name. */
export interface Models {
  /** In order of name. */
  readonly all: readonly LanguageModel[];
  readonly default: LanguageModel;
  /** @throws HeadwaterError INVALID_ARGUMENT, HW_MODEL_UNKNOWN */
  find(name: string): LanguageModel;
  /** Names of the models that answer while this one does not, in order. */
  fallbacksOf(name: string): readonly string[];
  close(): Promise<void>;
}

export type ModelsConfig = Pick<GenerationConfig, "defaultModel" | "models" | "captureContent">;

/**
 * Each model is an adapter within what every model needs, from the inside out: retries, places, accounting, a span.
 * Fallbacks stand around that, so that what each of them used and how long it took is told apart.
 */
export function createModels(
  config: ModelsConfig,
  rankSentences: RankSentences,
  telemetry: Telemetry,
): Models {
  const { log, tracer } = telemetry;
  const names = [extractiveName, ...config.models.map(({ name }) => name)];
  const metrics = createModelMetrics(telemetry.metrics, names);

  const observed = (model: LanguageModel, settings: Pick<ModelSettings, "model" | "baseUrl" | "prices">) =>
    withModelSpan(withAccounting(model, settings.model, settings.prices, metrics), {
      ...{ tracer, requestModel: settings.model, baseUrl: settings.baseUrl },
      captureContent: config.captureContent,
    });
  const ofService = (settings: ModelSettings): LanguageModel => {
    const retried = withRetries(createServiceModel(settings), settings.retries, (error) => {
      metrics.retries.inc({ model: settings.name, reason: error.reason });
      log.info({ model: settings.name, reason: error.reason }, "a language model is asked again");
    });
    return observed(withPlaces(retried, settings.maxConcurrent), settings);
  };

  const extractive = observed(createExtractiveModel({ name: extractiveName, rankSentences }), {
    model: extractiveName,
    baseUrl: undefined,
    prices: { input: 0, output: 0 },
  });
  const alone = new Map([[extractiveName, extractive]]);
  for (const settings of config.models) alone.set(settings.name, ofService(settings));
  const fallbacks = new Map(config.models.map(({ name, fallbacks }) => [name, fallbacks]));
  const fallbacksOf = (name: string) => fallbacks.get(name) ?? [];
  const all = [...alone.values()]
    .map((model) =>
      withFallbacks(
        model,
        fallbacksOf(model.name).flatMap((name) => alone.get(name) ?? []),
        (error, from, to) => {
          metrics.fallbacks.inc({ model: from.name, fallback: to.name });
          log.warn({ model: from.name, fallback: to.name, err: error }, "another language model is asked");
        },
      ),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));

  const find = (name: string): LanguageModel => {
    const found = all.find((model) => model.name === name);
    if (found) return found;
    throw invalidArgument(
      "HW_MODEL_UNKNOWN",
      "There is no language model of that name.",
      `Name one of: ${all.map((model) => model.name).join(", ")}.`,
    );
  };
  return {
    all,
    default: find(config.defaultModel),
    find,
    fallbacksOf,
    close: async () => {
      await Promise.all(all.map((model) => model.close()));
    },
  };
}
