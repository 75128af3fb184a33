import { toolList } from "../state/agents.ts";
import { FaultNote } from "./fault-note.tsx";

export interface ToolChoiceProps {
  /** By name of the tool, whether each call needs approval. */
  readonly chosen: ReadonlyMap<string, boolean>;
  readonly onChange: (chosen: ReadonlyMap<string, boolean>) => void;
}

/** Which tools an agent has, and which calls wait for somebody's approval. */
export function ToolChoice({ chosen, onChange }: ToolChoiceProps) {
  const { tools, unavailable, fault } = toolList.value;
  // What the agent has and no source offers just now stays as it is, "prefix*" among it.
  const others = [...chosen.keys()].filter((name) => !tools.some((tool) => tool.name === name));
  const rows = [
    ...tools,
    ...others.map((name) => ({ name, description: "", source: "not listed now", needsApproval: false })),
  ];
  const set = (name: string, on: boolean, approval: boolean) => {
    const next = new Map(chosen);
    if (on) next.set(name, approval);
    else next.delete(name);
    onChange(next);
  };
  return (
    <fieldset>
      <legend>Tools</legend>
      <FaultNote fault={fault} />
      <ul class="tools">
        {rows.map(({ name, description, source, needsApproval }) => (
          <li key={name} class="tool">
            <label class="check">
              <input
                type="checkbox"
                checked={chosen.has(name)}
                onChange={(event) => set(name, event.currentTarget.checked, false)}
              />
              <strong>{name}</strong> <span class="badge">{source}</span>
            </label>
            {description && <p class="tool-description">{description}</p>}
            {chosen.has(name) && (
              <label class="check tool-approval">
                <input
                  type="checkbox"
                  checked={needsApproval || chosen.get(name) === true}
                  disabled={needsApproval}
                  onChange={(event) => set(name, true, event.currentTarget.checked)}
                />
                {needsApproval
                  ? "Each call needs approval, as the tool asks for it"
                  : "Each call needs approval"}
                <span class="unseen"> of {name}</span>
              </label>
            )}
          </li>
        ))}
      </ul>
      {unavailable.map((source) => (
        <p key={source} class="note note-warning">
          {source}
        </p>
      ))}
    </fieldset>
  );
}
