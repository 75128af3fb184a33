import type { Agent } from "@headwater/client";
import { useSignal } from "@preact/signals";
import type { AgentDraft } from "../state/agent-draft.ts";
import { agentOf, draftOf, emptyDraft } from "../state/agent-draft.ts";
import { saveAgent } from "../state/agents.ts";
import { choices } from "../state/choices.ts";
import { SaveForm } from "./save-form.tsx";
import { TextField } from "./text-field.tsx";
import { ToolChoice } from "./tool-choice.tsx";

/** Makes an agent, or changes one. */
export function AgentForm({ agent, onDone }: { agent: Agent | undefined; onDone: () => void }) {
  const draft = useSignal<AgentDraft>(agent ? draftOf(agent) : emptyDraft);
  const change = (part: Partial<AgentDraft>) => {
    draft.value = { ...draft.peek(), ...part };
  };
  const { name, description, preamble, tools } = draft.value;
  return (
    <SaveForm
      action={agent ? "Save" : "Create the agent"}
      save={() => saveAgent(agent, agentOf(draft.peek()))}
      onSaved={onDone}
      onCancel={onDone}
    >
      <TextField
        label="Name"
        value={name}
        required
        maxLength={128}
        onType={(typed) => change({ name: typed })}
      />
      <TextField
        label="Description"
        value={description}
        maxLength={1024}
        hint="For people; the model does not read it."
        onType={(typed) => change({ description: typed })}
      />
      <TextField
        label="Preamble"
        value={preamble}
        rows={5}
        maxLength={16_384}
        hint="What the model is told about its task. The rules that guard tools and sources stand beside it."
        onType={(typed) => change({ preamble: typed })}
      />
      <ModelFields draft={draft.value} onChange={change} />
      <ToolChoice chosen={tools} onChange={(tools) => change({ tools })} />
      <LimitFields draft={draft.value} onChange={change} />
    </SaveForm>
  );
}

interface PartProps {
  readonly draft: AgentDraft;
  readonly onChange: (part: Partial<AgentDraft>) => void;
}

function ModelFields({ draft, onChange }: PartProps) {
  const able = choices.value.models.filter(
    ({ name, toolCalling }) => toolCalling !== "none" || name === draft.model,
  );
  return (
    <div class="form-row">
      <label class="text-field">
        <span class="text-field-label">Model</span>
        <select
          class="field"
          value={draft.model}
          onChange={(event) => onChange({ model: event.currentTarget.value })}
        >
          <option value="">The usual one</option>
          {able.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <TextField
        label="Temperature"
        value={draft.temperature}
        placeholder="the model's"
        range={{ min: 0, max: 2, step: "any" }}
        onType={(temperature) => onChange({ temperature })}
      />
      <TextField
        label="Passages a search"
        value={draft.topK}
        placeholder="8"
        range={{ min: 1, max: 50, step: 1 }}
        onType={(topK) => onChange({ topK })}
      />
    </div>
  );
}

function LimitFields({ draft, onChange }: PartProps) {
  return (
    <fieldset>
      <legend>It ends at the latest after</legend>
      <div class="form-row">
        <TextField
          label="Steps"
          value={draft.maxSteps}
          placeholder="8"
          range={{ min: 1, max: 64, step: 1 }}
          onType={(maxSteps) => onChange({ maxSteps })}
        />
        <TextField
          label="Tokens"
          value={draft.maxTokens}
          placeholder="100,000"
          range={{ min: 1, max: 4_294_967_295, step: 1 }}
          onType={(maxTokens) => onChange({ maxTokens })}
        />
        <TextField
          label="Seconds"
          value={draft.maxSeconds}
          placeholder="120"
          range={{ min: 1, max: 3600, step: 1 }}
          onType={(maxSeconds) => onChange({ maxSeconds })}
        />
        <TextField
          label="US dollars"
          value={draft.maxCost}
          placeholder="no limit"
          range={{ min: 0, max: 1_000_000, step: "any" }}
          onType={(maxCost) => onChange({ maxCost })}
        />
      </div>
    </fieldset>
  );
}
