import type { ReindexProgress } from "@headwater/client";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { announce } from "../state/announcer.ts";
import type { Fault } from "../state/fault.ts";
import { faultOf } from "../state/fault.ts";
import { count, counted } from "../state/format.ts";
import { server } from "../state/server.ts";
import { FaultNote } from "./fault-note.tsx";

/** Makes all passages anew, which a change of model or of chunking asks for. */
export function ReindexBox() {
  const progress = useSignal<ReindexProgress | undefined>(undefined);
  const running = useSignal(false);
  const fault = useSignal<Fault | undefined>(undefined);
  const leaving = useRef<AbortController>(undefined);
  useEffect(() => () => leaving.current?.abort(), []);

  const run = async () => {
    leaving.current = new AbortController();
    const { signal } = leaving.current;
    running.value = true;
    fault.value = undefined;
    progress.value = undefined;
    try {
      for await (const now of server.reindex({ signal })) progress.value = now;
      announce("The index has been made anew.");
    } catch (thrown) {
      fault.value = faultOf(thrown, signal);
    }
    running.value = false;
  };
  const now = progress.value;
  return (
    <div class="reindex">
      <p>
        {now
          ? `${count(now.done)} of ${counted(now.total, "document")}${now.failed > 0 ? `, ${count(now.failed)} failed` : ""}`
          : "After a change of model or of chunking, all passages can be made anew. Search goes on meanwhile."}
      </p>
      {now && <progress max={Math.max(1, now.total)} value={now.done} aria-label="Documents made anew" />}
      <FaultNote fault={fault.value} />
      {running.value ? (
        <button type="button" class="button" onClick={() => leaving.current?.abort()}>
          Stop watching
        </button>
      ) : (
        <button type="button" class="button" onClick={() => void run()}>
          Reindex
        </button>
      )}
    </div>
  );
}
