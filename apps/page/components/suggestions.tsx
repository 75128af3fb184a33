import { useEffect } from "preact/hooks";
import type { View } from "../state/route.ts";
import { readSamples, sampleManifest, samplesLoaded } from "../state/sample-corpus.ts";
import { Link } from "./link.tsx";

/** How many example questions are offered at once. */
const offered = 6;

/** Questions that the sample corpus answers, and one that it does not, once it is there. */
export function Suggestions({ view }: { view: View }) {
  useEffect(() => void readSamples(), []);
  const questions = sampleManifest.value?.questions ?? [];
  if (!samplesLoaded.value || questions.length === 0) return null;
  const unanswerable = questions.filter(({ answerable }) => !answerable).slice(0, 1);
  const shown = [...questions.filter(({ answerable }) => answerable).slice(0, offered - 1), ...unanswerable];
  return (
    <section class="suggestions" aria-labelledby="suggestions-title">
      <h2 id="suggestions-title">{view === "ask" ? "Ask" : "Search"} the sample corpus</h2>
      <ul>
        {shown.map(({ question, answerable }) => (
          <li key={question}>
            <Link to={{ view, query: question, document: undefined }}>
              {question}
              {!answerable && <span class="quiet"> (it does not say)</span>}
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
