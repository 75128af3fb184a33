import type { Hit, Stage } from "@headwater/client";
import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { mediaTypeName, placeOf, score, titleOf } from "../state/format.ts";
import { excerptOf } from "../state/ranges.ts";
import { passageBody } from "../state/shown-text.ts";
import { Explanation } from "./explanation.tsx";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";
import { MarkedText } from "./marked-text.tsx";

export interface HitCardProps {
  readonly hit: Hit;
  readonly stage: Stage;
  /** Highest score of the stage, for the bar. */
  readonly best: number;
  /** Places that reranking moved it up; undefined where unknown. */
  readonly movement: number | undefined;
}

/** Code units of a passage that are shown before the reader asks for all of it. */
const excerptLength = 340;

const scoreNames: Readonly<Record<Stage, string>> = {
  lexical: "BM25",
  vector: "cosine",
  fused: "fused",
  reranked: "reranked",
};

export function HitCard({ hit, stage, best, movement }: HitCardProps) {
  const whole = useSignal(false);
  const explained = useSignal(false);
  const id = useId();
  const { text, highlights } = passageBody(hit);
  const excerpt = whole.value ? { start: 0, end: text.length } : excerptOf(text, highlights, excerptLength);
  const isCut = excerpt.end - excerpt.start < text.length;
  const place = placeOf(hit.page, hit.headingPath, titleOf(hit.document));
  return (
    <article class="hit" aria-labelledby={`${id}-title`}>
      <div class="hit-rank" aria-hidden="true">
        {hit.rank}
      </div>
      <div class="hit-body">
        <h2 id={`${id}-title`} class="hit-title">
          <Link to={{ document: openingOf(hit) }}>{titleOf(hit.document)}</Link>
          <span class="badge">{mediaTypeName(hit.document.mediaType)}</span>
        </h2>
        {place && <p class="hit-place">{place}</p>}
        <p class="hit-text">
          {excerpt.start > 0 && "… "}
          <MarkedText
            text={text.slice(excerpt.start, excerpt.end)}
            ranges={highlights}
            offset={excerpt.start}
            dense
          />
          {excerpt.end < text.length && " …"}
        </p>
        <div class="hit-foot">
          <ScoreBar value={hit.score} best={best} stage={stage} />
          <Movement places={movement} />
          <span class="hit-actions">
            {(isCut || whole.value) && (
              <button
                type="button"
                class="button button-plain"
                aria-expanded={whole}
                onClick={() => {
                  whole.value = !whole.value;
                }}
              >
                {whole.value ? "Less" : "Whole passage"}
              </button>
            )}
            {hit.explanation && (
              <button
                type="button"
                class="button button-plain"
                aria-expanded={explained}
                aria-controls={`${id}-why`}
                onClick={() => {
                  explained.value = !explained.value;
                }}
              >
                Why here
                <Icon name="chevron" />
              </button>
            )}
          </span>
        </div>
        <div id={`${id}-why`} hidden={!explained.value}>
          {explained.value && hit.explanation && (
            <Explanation explanation={hit.explanation} hit={hit} movement={movement} />
          )}
        </div>
      </div>
    </article>
  );
}

/** The document with the passage marked. */
export function openingOf(hit: Hit) {
  return {
    id: hit.document.id,
    version: hit.document.version,
    mark: hit.range,
    page: hit.page,
    headings: hit.headingPath,
  };
}

function ScoreBar({ value, best, stage }: { value: number; best: number; stage: Stage }) {
  const share = best > 0 ? Math.max(0.02, Math.min(1, value / best)) : 0;
  return (
    <span class={`score score-${stage}`}>
      <span class="score-track" aria-hidden="true">
        <span class="score-fill" style={{ transform: `scaleX(${share})` }} />
      </span>
      <span>
        {score(value)} <span class="score-name">{scoreNames[stage]}</span>
      </span>
    </span>
  );
}

function Movement({ places }: { places: number | undefined }) {
  if (places === undefined || places === 0) return null;
  const up = places > 0;
  return (
    <span class={up ? "movement movement-up" : "movement movement-down"}>
      <span aria-hidden="true">{up ? "▲" : "▼"}</span> {Math.abs(places)}
      <span class="unseen">{up ? " up" : " down"} by reranking</span>
    </span>
  );
}
