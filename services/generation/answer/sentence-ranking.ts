import { HeadwaterError, status } from "@headwater/errors";
import type { SentenceScores } from "@headwater/language-model";
import type { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import type { RpcClient } from "@headwater/rpc";
import type { Telemetry } from "@headwater/telemetry";
import { Counter } from "@headwater/telemetry";

/**
 * Scores sentences against a question or a claim; undefined: nobody could, and words alone have to decide.
 *
 * @param sources where it is to be told which sentences answer: the number of the source that each is from
 */
export type RankSentences = (
  question: string,
  sentences: readonly string[],
  signal: AbortSignal,
  sources?: readonly number[],
) => Promise<SentenceScores | undefined>;

/** Milliseconds beyond the budget after which the worker is taken to be gone. */
const graceMs = 1000;
/** Milliseconds for which a worker that was away is not asked again: an answer asks once for each of its claims. */
const pauseMs = 2000;

/**
 * Ranks through the embedding-worker's Rerank. An answer by words alone beats none, so a worker that is away, busy or
 * late is counted and logged, and not an error.
 *
 * @param budgetMs what the worker may spend on one call
 */
export function createSentenceRanker(
  embedding: RpcClient<EmbeddingServiceDefinition>,
  budgetMs: number,
  telemetry: Telemetry,
): RankSentences {
  const degraded = new Counter({
    name: "headwater_generation_unranked_total",
    help: "Sentences were to be ranked and words alone had to decide",
    registers: [telemetry.metrics],
  });
  let pausedUntil = 0;
  return async (question, sentences, signal, sources) => {
    if (performance.now() < pausedUntil) {
      degraded.inc();
      return undefined;
    }
    try {
      const { scores, reranker, queryTokens } = await embedding.call.rerank(
        {
          ...{ query: question, passages: [...sentences], budgetMs, tokenScores: true },
          ...(sources ? { answerOdds: true, sources: [...sources] } : {}),
        },
        { signal, deadline: budgetMs + graceMs },
      );
      return {
        scores: scores.map(({ scored, score }) => (scored ? score : undefined)),
        scale: reranker === "cross-encoder" ? "cross-encoder" : "late-interaction",
        ...(queryTokens.length > 0
          ? { tokens: { ranges: queryTokens, cosines: scores.map(({ tokenScores }) => tokenScores) } }
          : {}),
        answerOdds: scores.map(({ answerOdds }) => answerOdds),
      };
    } catch (thrown) {
      signal.throwIfAborted();
      const error = HeadwaterError.from(thrown);
      if (error.code !== status.RESOURCE_EXHAUSTED) pausedUntil = performance.now() + pauseMs;
      degraded.inc();
      telemetry.log.warn({ err: error }, "sentences are ranked by words alone");
      return undefined;
    }
  };
}
