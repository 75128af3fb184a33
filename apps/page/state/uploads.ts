import { signal } from "@preact/signals";
import { addRows, changeRow, dropRow, rowSignal } from "./documents.ts";
import { server } from "./server.ts";
import type { NewFile, UploadNews } from "./upload-queue.ts";
import { UploadQueue } from "./upload-queue.ts";

/** Files that were added together, or while others were still on their way. */
export interface UploadBatch {
  readonly ids: ReadonlySet<string>;
  /** Unix milliseconds. */
  readonly started: number;
}

export const uploadBatch = signal<UploadBatch | undefined>(undefined);

/** Kept for those that were refused, so that they can be sent again. */
const files = new Map<string, NewFile>();

const queue = new UploadQueue({
  upload: (batch, options) => server.documents.upload(batch, options),
  tell,
  wait: (ms) => new Promise((done) => setTimeout(done, ms)),
});

export function uploadFiles(added: readonly NewFile[], batchDone: boolean): void {
  if (added.length === 0) return;
  for (const file of added) files.set(file.id, file);
  addRows(
    added.map((file) => ({
      id: file.id,
      title: file.title ?? "",
      mediaType: file.mediaType ?? file.content.type,
      bytes: file.content.size,
      version: 0,
      state: "waiting",
      sent: 0,
      passages: 0,
      updated: undefined,
      failure: undefined,
    })),
  );
  const ids = added.map(({ id }) => id);
  const before = batchDone ? undefined : uploadBatch.peek();
  uploadBatch.value = {
    ids: new Set([...(before?.ids ?? []), ...ids]),
    started: before?.started ?? Date.now(),
  };
  queue.add(added);
}

/** @returns false where the page does not have the file any more */
export function sendAgain(id: string): boolean {
  const file = files.get(id);
  if (!file) return false;
  changeRow(id, { state: "waiting", failure: undefined, sent: 0 });
  queue.add([file]);
  return true;
}

/** Takes back a file that the server has not seen. */
export function withdraw(id: string): void {
  queue.remove(id);
  files.delete(id);
  dropRow(id);
}

function tell(id: string, news: UploadNews): void {
  switch (news.kind) {
    case "waiting":
      changeRow(id, { state: "waiting", sent: 0, failure: news.fault && failureOf(news.fault) });
      break;
    case "sending":
      changeRow(id, { state: "sending", sent: news.sent, failure: undefined });
      break;
    case "received":
      files.delete(id);
      // The watch stream may have told of it before the receipt came.
      if ((rowSignal(id)?.peek().version ?? 0) < news.version)
        changeRow(id, { state: "queued", sent: 1, version: news.version });
      break;
    case "refused":
      changeRow(id, { state: "refused", failure: failureOf(news.fault) });
      break;
  }
}

function failureOf(fault: { reason: string; message: string; action: string }) {
  return {
    stage: "send",
    reason: fault.reason,
    message: fault.action ? `${fault.message} ${fault.action}` : fault.message,
    attempts: 1,
  };
}
