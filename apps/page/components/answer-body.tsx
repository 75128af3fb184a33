import type { CitationEvent } from "@headwater/client";
import { useSignal } from "@preact/signals";
import type { CitedAnswer } from "../state/answer.ts";
import type { AnswerPart } from "../state/answer-text.ts";
import { CitationChip } from "./citation-chip.tsx";

export interface AnswerBodyProps {
  readonly answer: CitedAnswer;
  /** More of it is to come. */
  readonly writing: boolean;
  readonly parts: readonly AnswerPart<CitationEvent>[];
  readonly numbers: ReadonlyMap<number, number>;
}

/** The text of an answer as it is written, with its sources set after each claim. */
export function AnswerBody({ answer, writing, parts, numbers }: AnswerBodyProps) {
  const pointed = useSignal<CitationEvent | undefined>(undefined);
  return (
    <div class="answer-text" aria-busy={writing}>
      {parts.map(({ start, text, claims, chips }) => (
        <span key={start}>
          <span class={pointed.value && claims.includes(pointed.value) ? "claim claim-on" : "claim"}>
            {text}
          </span>
          {chips.map(({ source, citation }) => (
            <CitationChip
              key={source}
              number={numbers.get(source) ?? source}
              citation={citation}
              hit={answer.hits[source - 1]}
              onPoint={(on) => {
                pointed.value = on ? citation : undefined;
              }}
            />
          ))}
        </span>
      ))}
      {writing && <span class="caret" aria-hidden="true" />}
    </div>
  );
}
