import type { Signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { Asked } from "../state/chat.ts";
import { choices } from "../state/choices.ts";
import { Icon } from "./icon.tsx";

/** Longest message that the service takes, in UTF-16 code units. */
const longest = 32_768;
/** Lines that the box grows to. */
const mostLines = 8;

export interface ComposerProps {
  readonly draft: Signal<string>;
  readonly asked: Asked;
  /** The conversation has an agent already, which can be changed for another but not for none. */
  readonly agentIsSet: boolean;
  /** Set while a turn runs: the button then stops it. */
  readonly onStop: (() => void) | undefined;
  readonly onAsked: (asked: Asked) => void;
  readonly onSend: (message: string) => void;
}

/** Where a message is written, and who is to answer it. */
export function Composer({ draft, asked, agentIsSet, onStop, onAsked, onSend }: ComposerProps) {
  const box = useRef<HTMLTextAreaElement>(null);
  const send = () => {
    if (onStop || draft.value.trim() === "") return;
    onSend(draft.value.trim());
    draft.value = "";
    box.current?.focus();
  };
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <label class="unseen" for="message">
        Message
      </label>
      <textarea
        ref={box}
        id="message"
        rows={Math.min(mostLines, draft.value.split("\n").length)}
        maxLength={longest}
        enterkeyhint="send"
        placeholder="Ask, and ask on"
        value={draft}
        onInput={(event) => {
          draft.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          // An Enter that ends the composing of a character is no wish to send.
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      <div class="composer-foot">
        <AgentChoice asked={asked} agentIsSet={agentIsSet} onAsked={onAsked} />
        <ModelChoice asked={asked} onAsked={onAsked} />
        {onStop ? (
          <button key="stop" type="button" class="button button-stop" onClick={onStop}>
            <Icon name="stop" />
            <span>Stop</span>
          </button>
        ) : (
          <button key="send" type="submit" class="button button-main" disabled={draft.value.trim() === ""}>
            <Icon name="up" />
            <span>Send</span>
          </button>
        )}
      </div>
    </form>
  );
}

function AgentChoice({
  asked,
  agentIsSet,
  onAsked,
}: Pick<ComposerProps, "asked" | "agentIsSet" | "onAsked">) {
  const { agents } = choices.value;
  const gone = asked.agentId !== "" && !agents.some(({ id }) => id === asked.agentId);
  return (
    <label class="choice">
      <span class="unseen">Who answers</span>
      <select
        value={asked.agentId}
        onChange={(event) => onAsked({ ...asked, agentId: event.currentTarget.value })}
      >
        {!agentIsSet && <option value="">The documents</option>}
        {gone && <option value={asked.agentId}>An agent that is gone</option>}
        {agents.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function ModelChoice({ asked, onAsked }: Pick<ComposerProps, "asked" | "onAsked">) {
  const { agents, models } = choices.value;
  const agent = agents.find(({ id }) => id === asked.agentId);
  const usual = agent?.model || models.find(({ isDefault }) => isDefault)?.name;
  return (
    <label class="choice">
      <span class="unseen">Model</span>
      <select
        value={asked.model}
        onChange={(event) => onAsked({ ...asked, model: event.currentTarget.value })}
      >
        <option value="">{usual ?? "Usual model"}</option>
        {models
          .filter(({ name, toolCalling }) => name !== usual && (!agent || toolCalling !== "none"))
          .map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
      </select>
    </label>
  );
}
