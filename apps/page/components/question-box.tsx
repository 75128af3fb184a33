import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "./icon.tsx";

export interface QuestionBoxProps {
  /** What the address says; the box follows it. */
  readonly query: string;
  readonly label: string;
  readonly placeholder: string;
  readonly action: string;
  /** Set while an answer is being written: the button then stops it. */
  readonly onStop?: (() => void) | undefined;
  readonly onSubmit: (query: string) => void;
}

/** Longest query that the services take, in UTF-16 code units. */
const longest = 8192;

/** The one field to type in: `/` leads here from anywhere. */
export function QuestionBox({ query, label, placeholder, action, onSubmit, onStop }: QuestionBoxProps) {
  const typed = useSignal(query);
  useEffect(() => {
    typed.value = query;
  }, [query, typed]);
  return (
    <search class="question">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.value.trim() !== "") onSubmit(typed.value.trim());
        }}
      >
        <Icon name={action === "Ask" ? "ask" : "search"} />
        <label class="unseen" for="question">
          {label}
        </label>
        <input
          id="question"
          type="search"
          name="q"
          autocomplete="off"
          enterkeyhint="search"
          maxLength={longest}
          placeholder={placeholder}
          value={typed}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
          }}
        />
        <span class="question-key" aria-hidden="true">
          /
        </span>
        {/* Keys, so that the one never becomes the other under a click, which would submit the form. */}
        {onStop ? (
          <button key="stop" type="button" class="button button-stop" onClick={onStop}>
            <Icon name="stop" />
            <span>Stop</span>
          </button>
        ) : (
          <button key="submit" type="submit" class="button button-main">
            {action}
          </button>
        )}
      </form>
    </search>
  );
}
