import { invalidArgument } from "@headwater/errors";
import type { LanguageModel } from "@headwater/language-model";
import { createExtractiveModel, createOpenAiCompatibleModel } from "@headwater/language-model";
import type { RankSentences } from "../answer/sentence-ranking.ts";
import type { GenerationConfig } from "../config.ts";

/** The language models that a request may name. */
export interface Models {
  /** In order of name. */
  readonly all: readonly LanguageModel[];
  readonly default: LanguageModel;
  /** @throws HeadwaterError INVALID_ARGUMENT, HW_MODEL_UNKNOWN */
  find(name: string): LanguageModel;
  close(): Promise<void>;
}

export function createModels(
  config: Pick<GenerationConfig, "defaultModel" | "openAi">,
  rankSentences: RankSentences,
): Models {
  const { openAi } = config;
  const all: LanguageModel[] = [createExtractiveModel({ rankSentences })];
  if (openAi) {
    const { apiKey, model, ...service } = openAi;
    all.push(createOpenAiCompatibleModel({ name: model, model, ...service, ...(apiKey ? { apiKey } : {}) }));
  }
  all.sort((a, b) => (a.name < b.name ? -1 : 1));
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
    close: async () => {
      await Promise.all(all.map((model) => model.close()));
    },
  };
}
