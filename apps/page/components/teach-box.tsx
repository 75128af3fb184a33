import type { MemoryDecision } from "@headwater/client";
import { useSignal } from "@preact/signals";
import type { Fault } from "../state/fault.ts";
import { teach } from "../state/memories.ts";
import { explainDecision, memoryWord } from "../state/memory-words.ts";
import { FaultNote } from "./fault-note.tsx";
import { SurpriseMeter } from "./surprise-meter.tsx";
import { TextField } from "./text-field.tsx";

/** Tells memory a statement, and shows how it was weighed. */
export function TeachBox() {
  const typed = useSignal("");
  const busy = useSignal(false);
  const decision = useSignal<MemoryDecision | undefined>(undefined);
  const fault = useSignal<Fault | undefined>(undefined);
  const send = async () => {
    busy.value = true;
    const told = await teach(typed.value.trim());
    decision.value = told.decision;
    fault.value = told.fault;
    if (told.decision) typed.value = "";
    busy.value = false;
  };
  return (
    <form
      class="teach"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.value.trim() !== "" && !busy.value) void send();
      }}
    >
      <TextField
        label="Teach it a statement"
        placeholder="I measure springs in the Harz."
        value={typed.value}
        maxLength={2048}
        onType={(value) => {
          typed.value = value;
        }}
      />
      <button type="submit" class="button" disabled={busy.value || typed.value.trim() === ""}>
        Weigh it
      </button>
      <FaultNote fault={fault.value} />
      {decision.value && (
        <div class="decision">
          <p>
            <span class="badge">{memoryWord[decision.value.action]}</span> {decision.value.statement}{" "}
            <SurpriseMeter surprise={decision.value.surprise} threshold={decision.value.threshold} />
          </p>
          <p class="decision-why">{explainDecision(decision.value)}</p>
        </div>
      )}
    </form>
  );
}
