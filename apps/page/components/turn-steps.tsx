import { useSignal } from "@preact/signals";
import { decideCall } from "../state/chat.ts";
import type { CallStep, Turn, TurnStep } from "../state/chat-turn.ts";
import type { Fault } from "../state/fault.ts";
import { milliseconds } from "../state/format.ts";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";

/** Code units of a result or thought that are shown without being asked for. */
const shownAtOnce = 280;

/** What an agent did before it answered: what it thought, which tools it called, what they said. */
export function TurnSteps({ turn }: { turn: Turn }) {
  if (turn.steps.length === 0) return null;
  return (
    <ol class="steps-list" aria-label="Steps of the agent">
      {turn.steps.map((step, index) => (
        // Steps are only ever added at the end.
        <li key={index} class="turn-step">
          <Step turn={turn} step={step} />
        </li>
      ))}
    </ol>
  );
}

function Step({ turn, step }: { turn: Turn; step: TurnStep }) {
  if (step.type === "call") return <Call turn={turn} step={step} />;
  return (
    <>
      <Icon name="thought" />
      <div class="step-body">
        <Folded text={step.text} name="Thought" />
      </div>
    </>
  );
}

function Call({ turn, step: { call, approval, result } }: { turn: Turn; step: CallStep }) {
  const waits = approval !== undefined && turn.phase === "running";
  return (
    <>
      <Icon name="tool" />
      <div class="step-body">
        <p class="step-call">
          <strong>{call.tool}</strong> <code>{readable(call.arguments)}</code>
        </p>
        {waits && <Approval turn={turn} callId={call.callId} tool={call.tool} />}
        {!waits && !result && turn.phase === "running" && <p class="quiet">Running …</p>}
        {result && (
          <div class={result.failed ? "step-result step-failed" : "step-result"}>
            <Folded text={result.text} name={result.failed ? "Failed" : "Result"} />
            <p class="step-facts">
              {[
                result.failed && "failed",
                milliseconds(result.elapsedMs),
                result.truncated && "cut to what the model is given",
              ]
                .filter(Boolean)
                .join(" · ")}
            </p>
          </div>
        )}
      </div>
    </>
  );
}

function Approval({ turn, callId, tool }: { turn: Turn; callId: string; tool: string }) {
  const decided = useSignal(false);
  const fault = useSignal<Fault | undefined>(undefined);
  const decide = async (approved: boolean) => {
    decided.value = true;
    fault.value = await decideCall(turn, callId, approved);
    if (fault.value) decided.value = false;
  };
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out in a line everywhere */}
      <div class="approval" role="group" aria-label={`Approval of ${tool}`}>
        <p>This call waits for you.</p>
        <button type="button" class="button button-main" disabled={decided} onClick={() => void decide(true)}>
          Approve
        </button>
        <button type="button" class="button" disabled={decided} onClick={() => void decide(false)}>
          Refuse
        </button>
      </div>
      <FaultNote fault={fault.value} />
    </>
  );
}

function Folded({ text, name }: { text: string; name: string }) {
  if (text.length <= shownAtOnce) return <p class="step-text">{text}</p>;
  return (
    <details>
      <summary>
        {name}: {text.slice(0, 90).replace(/\s+\S*$/, "")} …
      </summary>
      <p class="step-text">{text}</p>
    </details>
  );
}

/** `{"query":"dams","limit":3}` as "query: dams, limit: 3"; what is no object stays as the model wrote it. */
function readable(json: string): string {
  try {
    const given: unknown = JSON.parse(json);
    if (typeof given !== "object" || given === null || Array.isArray(given)) return json;
    return Object.entries(given)
      .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
      .join(", ");
  } catch {
    // Models write broken JSON, and cut-off JSON comes over the wire; either is shown as it is.
    return json;
  }
}
