import { setTimeout as delay } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { TurnEndReason } from "@headwater/proto/connect/headwater/v1/conversation";
import { AnswerRequestSchema, EndReason } from "@headwater/proto/connect/headwater/v1/generation";
import type { Hit } from "@headwater/proto/connect/headwater/v1/search";
import { SearchRequestSchema, Stage } from "@headwater/proto/connect/headwater/v1/search";
import type { TurnMessage } from "./conversation-double.ts";
import type { DocumentStoreDouble } from "./document-store-double.ts";
import { metadataMessage } from "./document-store-double.ts";
import type { AnswerMessage, GatewayScript } from "./gateway-double.ts";
import type { SearchMessage } from "./search-double.ts";
import { stagedSearch, wordsOf } from "./search-double.ts";

const stages = [
  [Stage.LEXICAL, "lexical", 6.4],
  [Stage.VECTOR, "vector", 9.1],
  [Stage.FUSED, "fused", 9.8],
  [Stage.RERANKED, "reranked", 48.2],
] as const;

/** Plausible services: search by words, answers made of sentences. `pace`: milliseconds between messages. */
export function plausibleScript(store: DocumentStoreDouble, pace = 0): GatewayScript {
  return {
    receive: () => undefined,
    async *search(request, signal): AsyncGenerator<SearchMessage> {
      const found = stagedSearch(store, request);
      for (const [stage, name, elapsedMs] of stages) {
        if (request.stages.length > 0 && !request.stages.includes(stage)) continue;
        if (stage === Stage.RERANKED && request.rerank?.disabled) continue;
        if (pace > 0) await delay(pace, undefined, { signal });
        yield { event: { case: "hits", value: { stage, hits: found[name], elapsedMs } } };
      }
      yield { event: { case: "summary", value: summaryOf(found.reranked, request.pageSize || 10) } };
    },
    async *chat(request, { signal }): AsyncGenerator<TurnMessage> {
      const question = create(AnswerRequestSchema, { question: request.message });
      for await (const { event } of this.answer(question, signal)) {
        if (event?.case !== "end") {
          if (event) yield { event };
          continue;
        }
        const reason =
          event.value.reason === EndReason.NO_SUPPORT ? TurnEndReason.NO_SUPPORT : TurnEndReason.COMPLETE;
        const { usage, model, milliseconds } = event.value;
        yield {
          event: {
            case: "end",
            value: { reason, ...(usage && { usage }), model: model ?? "", milliseconds: { ...milliseconds } },
          },
        };
      }
    },
    async *answer({ question }, signal): AsyncGenerator<AnswerMessage> {
      const request = create(SearchRequestSchema, { query: question, pageSize: 8 });
      const hits = stagedSearch(store, request).reranked;
      yield { event: { case: "passages", value: { hits, summary: summaryOf(hits, 8) } } };
      const found = sentencesFor(question, hits);
      let length = 0;
      for (const { text, source, start } of found) {
        for (const word of text.match(/\S+\s*/g) ?? []) {
          if (pace > 0) await delay(pace / 8, undefined, { signal });
          yield { event: { case: "text", value: { text: word } } };
        }
        const marker = ` [${source}]`;
        yield { event: { case: "text", value: { text: marker } } };
        const hit = hits[source - 1];
        const stored = store.documents.get(hit?.document?.id ?? "");
        if (!hit || !stored) continue;
        yield {
          event: {
            case: "citation",
            value: {
              source,
              claim: { start: length, end: length + text.length },
              evidence: { start, end: start + text.length },
              passageId: hit.passageId,
              document: metadataMessage(stored),
              page: hit.location?.page ?? 0,
              quote: text,
              support: 0.93,
            },
          },
        };
        length += text.length + marker.length + 1;
        yield { event: { case: "text", value: { text: " " } } };
      }
      if (found.length === 0) yield { event: { case: "text", value: { text: noSupport } } };
      yield {
        event: {
          case: "end",
          value: {
            reason: found.length > 0 ? EndReason.COMPLETE : EndReason.NO_SUPPORT,
            usage: { inputTokens: 0, outputTokens: Math.round(length / 4) },
            model: "extractive",
            milliseconds: { search: 52, first_token: 88, total: 164 },
          },
        },
      };
    },
  };
}

const noSupport = "None of the passages that were found supports an answer to this question.";

function summaryOf(hits: readonly Hit[], size: number) {
  const last = hits.at(-1);
  return {
    nextPageToken: last && hits.length >= size ? String(last.rank) : "",
    milliseconds: {
      embed: 5.2,
      lexical: 3.1,
      vector: 2.8,
      fuse: 0.4,
      rerank: 38.4,
      total: 49.6,
      first_hits: 6.4,
    },
    finalStage: Stage.RERANKED,
    candidates: 64,
  };
}

/** The sentences that share most words with the question; none where even the best shares few. */
function sentencesFor(question: string, hits: readonly Hit[]) {
  const words = wordsOf(question);
  return hits
    .flatMap((hit, index) =>
      [...hit.text.matchAll(/[^.!?\n][^.!?]*[.!?](?=\s|$)/g)].map((match) => ({
        text: match[0],
        source: index + 1,
        start: (hit.location?.range?.start ?? 0) + match.index,
        shared: words.filter((word) => match[0].toLowerCase().includes(word.slice(0, 6))).length,
      })),
    )
    .filter(({ shared }) => shared >= Math.max(2, words.length * 0.55))
    .sort((a, b) => b.shared - a.shared)
    .slice(0, 3);
}
