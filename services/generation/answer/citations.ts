import type { ModelEvent, Source } from "@headwater/language-model";
import type {
  AnswerResponse,
  Citation,
  DeepPartial,
} from "@headwater/proto/services/headwater/v1/generation";
import type { Hit } from "@headwater/proto/services/headwater/v1/search";
import { createCitationMarkerParser } from "./citation-markers.ts";
import type { Claim } from "./claims.ts";
import { createClaimFinder } from "./claims.ts";
import type { EvidenceSpan } from "./evidence.ts";
import { findEvidence } from "./evidence.ts";
import type { RankSentences } from "./sentence-ranking.ts";

/** A source of an answer and the hit that it came from. */
export interface CitedSource {
  readonly source: Source;
  readonly hit: Hit;
}

type Message = DeepPartial<AnswerResponse>;

/** Turns what a model streams into messages of an answer, with a citation for each claim. */
export interface CitationWriter {
  /** The whole text so far. */
  readonly text: string;
  write(
    event: Extract<ModelEvent, { type: "text" | "evidence" }>,
  ): AsyncIterable<Message> | Iterable<Message>;
  /** What is left once the model has ended. */
  end(): AsyncGenerator<Message>;
}

/**
 * Text leaves as it comes. A claim's citation follows its text: with the evidence that the model gave, or, once the
 * model has gone on without giving any, with the best evidence that the source holds.
 */
export function createCitationWriter(
  sources: readonly CitedSource[],
  rank: RankSentences,
  signal: AbortSignal,
): CitationWriter {
  const byNumber = new Map(sources.map((cited) => [cited.source.number, cited]));
  const parser = createCitationMarkerParser((number) => byNumber.has(number));
  const claims = createClaimFinder();
  let uncited: { claim: Claim; cited: CitedSource }[] = [];

  const expectCitations = (found: readonly Claim[]): void => {
    for (const claim of found) {
      for (const number of claim.sources) {
        const cited = byNumber.get(number);
        if (cited) uncited.push({ claim, cited });
      }
    }
  };
  const append = (pieces: ReturnType<typeof parser.push>): Message[] => {
    let text = "";
    for (const piece of pieces) {
      if (piece.type === "marker") expectCitations(claims.mark(piece.sources, piece.start, piece.end));
      else {
        text += piece.text;
        claims.append(piece.text);
      }
    }
    return text === "" ? [] : [{ event: { $case: "text", value: { text } } }];
  };
  async function* citeTheRest(): AsyncGenerator<Message> {
    const rest = uncited;
    uncited = [];
    for (const { claim, cited } of rest) {
      yield citationMessage(claim, cited, await findEvidence(claim.text, cited.source, rank, signal));
    }
  }
  async function* appendAfterCitations(text: string): AsyncGenerator<Message> {
    yield* citeTheRest();
    yield* append(parser.push(text));
  }

  return {
    get text() {
      return claims.text;
    },
    write(event) {
      if (event.type === "text") {
        // Most texts come when nothing is left to be cited.
        return uncited.length === 0 ? append(parser.push(event.text)) : appendAfterCitations(event.text);
      }
      const at = uncited.findIndex(({ cited }) => cited.source.number === event.source);
      const [match] = at === -1 ? [] : uncited.splice(at, 1);
      return match ? [citationMessage(match.claim, match.cited, event)] : [];
    },
    async *end() {
      yield* append(parser.end());
      expectCitations(claims.end());
      yield* citeTheRest();
    },
  };
}

function citationMessage(claim: Claim, { source, hit }: CitedSource, evidence: EvidenceSpan): Message {
  const origin = hit.location?.range?.start ?? 0;
  const citation: DeepPartial<Citation> = {
    source: source.number,
    claim: { start: claim.start, end: claim.end },
    evidence: { start: origin + evidence.start, end: origin + evidence.end },
    passageId: hit.passageId,
    page: hit.location?.page ?? 0,
    quote: hit.text.slice(evidence.start, evidence.end),
    support: evidence.support,
    ...(hit.document ? { document: hit.document } : {}),
  };
  return { event: { $case: "citation", value: citation } };
}
