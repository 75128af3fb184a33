import type { CitedSource } from "../answer/citations.ts";
import { createCitationWriter } from "../answer/citations.ts";
import type { RankSentences } from "../answer/sentence-ranking.ts";
import type { TurnEvent } from "../turns/turn.ts";
import { createLinkFilter } from "./link-filter.ts";
import type { LinkPolicy } from "./link-policy.ts";

/** Writes an agent's answer: links that may not get out are taken from it, and what it cites is found in the sources. */
export interface AnswerWriter {
  /** As it was streamed so far. */
  readonly text: string;
  write(text: string): AsyncGenerator<TurnEvent>;
  end(): AsyncGenerator<TurnEvent>;
}

/** @param sources all that the answer may cite: none is added once it has begun */
export function createAnswerWriter(
  sources: readonly CitedSource[],
  rank: RankSentences,
  policy: LinkPolicy,
  signal: AbortSignal,
): AnswerWriter {
  const citations = createCitationWriter(sources, rank, signal);
  const links = createLinkFilter(policy);
  async function* write(text: string): AsyncGenerator<TurnEvent> {
    if (text === "") return;
    for await (const { event } of citations.write({ type: "text", text })) if (event) yield event;
  }
  return {
    get text() {
      return citations.text;
    },
    write: (text) => write(links.push(text)),
    async *end() {
      yield* write(links.end());
      for await (const { event } of citations.end()) if (event) yield event;
    },
  };
}
