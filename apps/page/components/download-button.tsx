import type { Document } from "@headwater/client";
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Fault } from "../state/fault.ts";
import { faultOf } from "../state/fault.ts";
import { saveFile } from "../state/save-file.ts";
import { server } from "../state/server.ts";
import { FaultNote } from "./fault-note.tsx";
import { Icon } from "./icon.tsx";

/** Saves the document as it was pushed. */
export function DownloadButton({ document: { id, mediaType } }: { document: Document }) {
  const busy = useSignal(false);
  const fault = useSignal<Fault | undefined>(undefined);
  const leaving = useRef(new AbortController());
  useEffect(() => () => leaving.current.abort(), []);

  const download = async () => {
    const { signal } = leaving.current;
    busy.value = true;
    fault.value = undefined;
    try {
      const pieces: BlobPart[] = [];
      for await (const { data } of server.documents.original(id, { signal }))
        pieces.push(new Uint8Array(data));
      saveFile(new Blob(pieces, { type: mediaType }), id.split("/").at(-1) ?? id);
    } catch (thrown) {
      fault.value = faultOf(thrown, signal);
    }
    busy.value = false;
  };
  return (
    <>
      <button type="button" class="button button-plain" disabled={busy} onClick={() => void download()}>
        <Icon name="download" />
        <span>Original</span>
      </button>
      <FaultNote fault={fault.value} />
    </>
  );
}
