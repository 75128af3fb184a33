import { HeadwaterError, status } from "@headwater/errors";
import type { LanguageModel, ModelEvent, ModelRequest } from "@headwater/language-model";
import { estimateTokens } from "@headwater/text";
import { begin } from "./begun-stream.ts";

/**
 * Lets others answer, in order, for a model that fails before its first event; the event `finish` tells who did. The
 * error of the model that was asked is the one that the caller gets where none answers.
 */
export function withFallbacks(
  model: LanguageModel,
  fallbacks: readonly LanguageModel[],
  onFallback: (error: HeadwaterError, from: LanguageModel, to: LanguageModel) => void,
): LanguageModel {
  if (fallbacks.length === 0) return model;
  return {
    ...model,
    async *generate(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
      const able = [model, ...fallbacks.filter((fallback) => canAnswer(fallback, request))];
      let failure: unknown;
      for (const [index, candidate] of able.entries()) {
        let events: AsyncIterable<ModelEvent>;
        try {
          events = await begin(candidate.generate(request, signal));
        } catch (thrown) {
          failure ??= thrown;
          if (signal.aborted || !othersMayDoBetter(thrown)) throw thrown;
          const next = able[index + 1];
          if (next) onFallback(HeadwaterError.from(thrown), candidate, next);
          continue;
        }
        yield* events;
        return;
      }
      throw failure;
    },
  };
}

/** A request that one model refuses as wrong is wrong for all. */
function othersMayDoBetter(thrown: unknown): boolean {
  return HeadwaterError.from(thrown).code !== status.INVALID_ARGUMENT;
}

/** False where a model could only fail, or would answer without what the request is about. */
function canAnswer(model: LanguageModel, request: ModelRequest): boolean {
  if ((request.tools ?? []).length > 0 && model.toolCalling !== "native") return false;
  if (model.contextTokens === undefined) return request.sources.length > 0;
  const prompt = request.messages.reduce((sum, { text }) => sum + estimateTokens(text), 0);
  return prompt + request.maxOutputTokens <= model.contextTokens;
}
