import { useEffect } from "preact/hooks";
import { AnswerBody } from "../components/answer-body.tsx";
import { CopyButton } from "../components/copy-button.tsx";
import { FaultNote } from "../components/fault-note.tsx";
import { FilterBar } from "../components/filter-bar.tsx";
import { Home } from "../components/home.tsx";
import { Icon } from "../components/icon.tsx";
import { Link } from "../components/link.tsx";
import { QuestionBox } from "../components/question-box.tsx";
import { OtherPassages, SourceList } from "../components/source-list.tsx";
import { Welcome } from "../components/welcome.tsx";
import type { Answer } from "../state/answer.ts";
import { answer, leaveAnswer, showAnswer, stopAnswer } from "../state/answer.ts";
import { copyOf, partsOf } from "../state/answer-copy.ts";
import { numberSources } from "../state/answer-text.ts";
import { counted, milliseconds } from "../state/format.ts";
import { navigate, route } from "../state/navigation.ts";
import { documentsInStore, pipeline } from "../state/pipeline.ts";

export function AskView() {
  const { query, options } = route.value;
  const shown = answer.value;
  useEffect(() => showAnswer(query, options), [query, options]);
  useEffect(() => leaveAnswer, []);
  const empty = documentsInStore(pipeline.value) === 0;
  const running = shown?.phase === "searching" || shown?.phase === "writing";
  return (
    <>
      <h1>Ask</h1>
      <QuestionBox
        query={query}
        label="Ask your documents a question"
        placeholder="A question that your documents may answer"
        action="Ask"
        onStop={running ? stopAnswer : undefined}
        onSubmit={(query) => {
          if (query === route.peek().query) showAnswer(query, options, true);
          else navigate({ query, document: undefined });
        }}
      />
      {query !== "" && <FilterBar options={options} suggestions={[]} withSettings={false} />}
      {query === "" && (empty ? <Welcome /> : <Home view="ask" />)}
      {query !== "" && shown && <AnswerArticle answer={shown} />}
    </>
  );
}

function AnswerArticle({ answer }: { answer: Answer }) {
  const parts = partsOf(answer);
  const numbers = numberSources(parts);
  const silent = answer.end?.reason === "no_support";
  return (
    <article class="answer" aria-labelledby="answer-question">
      <h2 id="answer-question">{answer.question}</h2>
      <Progress answer={answer} />
      <FaultNote
        fault={answer.fault}
        onRetry={() => showAnswer(answer.question, route.peek().options, true)}
      />
      {silent ? (
        <div class="silence">
          <Icon name="quiet" />
          <div>
            <p class="silence-title">The documents do not say.</p>
            <p class="silence-text">{answer.text}</p>
          </div>
        </div>
      ) : (
        <AnswerBody answer={answer} writing={answer.phase === "writing"} parts={parts} numbers={numbers} />
      )}
      {answer.end?.reason === "length" && (
        <p class="note note-warning">The answer reached its longest length and ends here.</p>
      )}
      {answer.end?.reason === "refused" && <p class="note note-warning">The model would not answer this.</p>}
      {answer.phase === "stopped" && <p class="note note-warning">Stopped here, as you asked.</p>}
      {answer.phase !== "searching" && answer.phase !== "writing" && answer.text !== "" && (
        <div class="answer-actions">
          <CopyButton text={() => copyOf(answer)}>Copy with sources</CopyButton>
          <button
            type="button"
            class="button button-plain"
            onClick={() => showAnswer(answer.question, route.peek().options, true)}
          >
            <Icon name="retry" />
            <span>Ask again</span>
          </button>
          <Link class="button button-plain" to={{ view: "search", document: undefined }}>
            <Icon name="search" />
            <span>Search for it</span>
          </Link>
        </div>
      )}
      <SourceList answer={answer} numbers={numbers} />
      {answer.phase === "done" && <OtherPassages answer={answer} numbers={numbers} open={silent} />}
    </article>
  );
}

/** One line that always has its place: what is being done, then what it took. */
function Progress({ answer: { phase, hits, summary, end } }: { answer: Answer }) {
  const found = summary?.milliseconds["total"];
  const total = end?.milliseconds["total"];
  const first = end?.milliseconds["first_token"];
  return (
    <p class="summary">
      {phase === "searching" && "Searching the documents …"}
      {phase === "writing" && (
        <>
          Reading {counted(hits.length, "passage")}
          {found !== undefined && `, found in ${milliseconds(found)}`} …
        </>
      )}
      {end && (
        <>
          {total !== undefined && <strong>{milliseconds(total)}</strong>}
          {first !== undefined && <span>first words after {milliseconds(first)}</span>}
          <span>{counted(hits.length, "passage")} read</span>
          {end.model && <span>{end.model}</span>}
        </>
      )}
    </p>
  );
}
