import type { Document } from "@headwater/client";
import { Code, HeadwaterClientError } from "@headwater/client";
import { signal } from "@preact/signals";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import type { OpenDocument, Range } from "./route.ts";
import { server } from "./server.ts";

/** A document beside the view, with the part of its text that has been fetched. */
export interface DocumentShown {
  readonly id: string;
  readonly document: Document | undefined;
  /** The version that `text` is of. */
  readonly version: number;
  readonly text: string;
  /** What `text` is of the whole. */
  readonly range: Range;
  /** Of the whole text. */
  readonly length: number;
  readonly loading: boolean;
  /** True: the asked version has been replaced, so the mark may be off. */
  readonly replaced: boolean;
  readonly fault: Fault | undefined;
}

export const documentShown = signal<DocumentShown | undefined>(undefined);

/** Code units fetched at once: 60 pages or so, which a phone still lays out without a pause. */
const windowLength = 120_000;

let current: AbortController | undefined;

export async function showDocument(open: OpenDocument): Promise<void> {
  current?.abort();
  current = new AbortController();
  const { signal } = current;
  documentShown.value = {
    id: open.id,
    document: undefined,
    version: 0,
    text: "",
    range: { start: 0, end: 0 },
    length: 0,
    loading: true,
    replaced: false,
    fault: undefined,
  };
  try {
    const [document, text] = await Promise.all([
      server.documents.get(open.id, { signal }),
      fetchText(open, signal),
    ]);
    if (signal.aborted) return;
    documentShown.value = {
      id: open.id,
      document,
      version: text.metadata.version,
      text: text.text,
      range: text.range,
      length: text.textLength,
      loading: false,
      replaced: text.replaced,
      fault: undefined,
    };
  } catch (thrown) {
    await showFault(thrown, open, signal);
  }
}

/** What can be told of a document whose text is not there, such as one that failed. */
async function showFault(thrown: unknown, open: OpenDocument, signal: AbortSignal): Promise<void> {
  const fault = faultOf(thrown, signal);
  if (!fault) return;
  let document: Document | undefined;
  try {
    document = await server.documents.get(open.id, { signal });
  } catch (second) {
    // The first fault is the one to tell; this one says the same of the same document.
    if (!faultOf(second, signal)) return;
  }
  const before = documentShown.peek();
  if (before?.id === open.id && !signal.aborted)
    documentShown.value = { ...before, document, loading: false, fault };
}

async function fetchText(open: OpenDocument, signal: AbortSignal) {
  const middle = open.mark ? (open.mark.start + open.mark.end) / 2 : 0;
  const start = Math.max(0, Math.floor(middle - windowLength / 2));
  const options = { signal, range: { start, end: start + windowLength } };
  if (open.version === 0) return { ...(await server.documents.text(open.id, options)), replaced: false };
  try {
    const text = await server.documents.text(open.id, { ...options, version: open.version });
    return { ...text, replaced: false };
  } catch (thrown) {
    if (HeadwaterClientError.from(thrown).code !== Code.NotFound) throw thrown;
    return { ...(await server.documents.text(open.id, options)), replaced: true };
  }
}

/** Fetches the text before or after what is shown. */
export async function extendText(where: "before" | "after"): Promise<void> {
  const before = documentShown.peek();
  const signal = current?.signal;
  if (!before || !signal || before.loading) return;
  const { start, end } = before.range;
  documentShown.value = { ...before, loading: true };
  try {
    const asked =
      where === "before"
        ? { start: Math.max(0, start - windowLength), end: start }
        : { start: end, end: end + windowLength };
    // The same version as the rest: a newer one would not fit to it.
    const piece = await server.documents.text(before.id, { signal, range: asked, version: before.version });
    if (signal.aborted) return;
    documentShown.value = {
      ...before,
      text: where === "before" ? piece.text + before.text : before.text + piece.text,
      range: where === "before" ? { start: piece.range.start, end } : { start, end: piece.range.end },
    };
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (fault) documentShown.value = { ...before, fault };
  }
}

export function closeDocument(): void {
  current?.abort();
  current = undefined;
  documentShown.value = undefined;
}
