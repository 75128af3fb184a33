import { navigate } from "./navigation.ts";
import { uploadProgress } from "./upload-progress.ts";
import type { NewFile } from "./upload-queue.ts";
import { uploadFiles } from "./uploads.ts";

/** Sends files, and shows them on their way. */
export function sendFiles(files: readonly NewFile[]): void {
  if (files.length === 0) return;
  uploadFiles(files, uploadProgress.peek()?.done ?? true);
  navigate({ view: "documents", group: "all", prefix: "", document: undefined });
}
