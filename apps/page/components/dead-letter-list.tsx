import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ago } from "../state/format.ts";
import { deadLetters, listDeadLetters, pipeline, replayDeadLetters } from "../state/pipeline.ts";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";

/** Documents that could not be processed, why, and a way to try them again. */
export function DeadLetterList() {
  const leaving = useRef(new AbortController());
  const busy = useSignal("");
  const total = pipeline.value?.deadLetters;
  useEffect(() => {
    void listDeadLetters(false, leaving.current.signal);
  }, [total]);
  useEffect(() => {
    leaving.current = new AbortController();
    return () => leaving.current.abort();
  }, []);
  const { letters, nextPageToken, loading, fault } = deadLetters.value;
  const replay = async (ids: readonly string[], what: string) => {
    busy.value = what;
    await replayDeadLetters(ids, leaving.current.signal);
    busy.value = "";
  };
  return (
    <section aria-labelledby="dead-letters">
      <div class="section-head">
        <h2 id="dead-letters">Dead letters</h2>
        {letters.length > 0 && (
          <button
            type="button"
            class="button"
            disabled={busy.value !== ""}
            onClick={() => void replay([], "all")}
          >
            <Icon name="retry" />
            <span>Try all again</span>
          </button>
        )}
      </div>
      <FaultNote fault={fault} />
      {letters.length === 0 && !loading && !fault && (
        <p class="empty">None: every document could be processed.</p>
      )}
      <ul class="letters">
        {letters.map(({ id, documentId, failure, failedTime }) => (
          <li key={id} class="letter">
            <div>
              <Link
                class="line-title"
                to={{ document: { id: documentId, version: 0, mark: undefined, page: 0, headings: [] } }}
              >
                {documentId}
              </Link>
              <p>{failure?.message}</p>
              <p class="note-reason">
                {[
                  failure?.reason,
                  failure && `at ${failure.stage}`,
                  failure && failure.attempts > 1 && `${failure.attempts} attempts`,
                  failedTime && ago(failedTime, new Date()),
                ]
                  .filter(Boolean)
                  .join(" · ")}
              </p>
            </div>
            <button
              type="button"
              class="button"
              aria-label={`Try ${documentId} again`}
              disabled={busy.value !== ""}
              onClick={() => void replay([id], id)}
            >
              <Icon name="retry" />
              <span>Try again</span>
            </button>
          </li>
        ))}
      </ul>
      {nextPageToken !== "" && (
        <button
          type="button"
          class="button"
          disabled={loading}
          onClick={() => void listDeadLetters(true, leaving.current.signal)}
        >
          More
        </button>
      )}
    </section>
  );
}
