import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ConfirmButton } from "../components/confirm-button.tsx";
import { FaultNote } from "../components/fault-note.tsx";
import { MemoryEntry } from "../components/memory-entry.tsx";
import { TeachBox } from "../components/teach-box.tsx";
import type { Fault } from "../state/fault.ts";
import { forgetAllMemories, listMemories, listMoreMemories, memoryList } from "../state/memories.ts";

/** Milliseconds after the last key until memory is searched. */
const typingPause = 250;

export function MemoryView() {
  const { memories, nextPageToken, loading, fault } = memoryList.value;
  const forgetFault = useSignal<Fault | undefined>(undefined);
  const typed = useSignal("");
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    void listMemories("");
    return () => clearTimeout(waiting.current);
  }, []);
  return (
    <>
      <h1>Memory</h1>
      <p class="lead">
        What conversations have taught about you. A statement is kept when it surprises: when it lies far from
        what is remembered already. What is never recalled fades.
      </p>
      <TeachBox />
      <div class="list-head">
        <label class="prefix prefix-wide">
          <span class="unseen">Search what is remembered</span>
          <input
            class="field"
            type="search"
            placeholder="Search what is remembered"
            maxLength={8192}
            value={typed}
            onInput={(event) => {
              typed.value = event.currentTarget.value;
              clearTimeout(waiting.current);
              waiting.current = setTimeout(() => void listMemories(typed.value.trim()), typingPause);
            }}
          />
        </label>
        {memories.length > 0 && (
          <ConfirmButton
            label="Forget everything"
            question="Forget everything, for good?"
            onConfirm={() =>
              void forgetAllMemories().then((failed) => {
                forgetFault.value = failed;
              })
            }
          >
            Forget everything
          </ConfirmButton>
        )}
      </div>
      <FaultNote fault={fault ?? forgetFault.value} onRetry={() => void listMemories()} />
      {memories.length === 0 && !loading && !fault && (
        <p class="empty">{typed.value === "" ? "Nothing is remembered yet." : "Nothing like that."}</p>
      )}
      <ul class="cards">
        {memories.map((memory) => (
          <MemoryEntry key={memory.id} memory={memory} />
        ))}
      </ul>
      {nextPageToken !== "" && (
        <button type="button" class="button" disabled={loading} onClick={() => void listMoreMemories()}>
          More
        </button>
      )}
    </>
  );
}
