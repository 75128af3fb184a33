import type { Receipt, UploadOptions } from "@headwater/client";
import { backOff } from "./back-off.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";

/** A file on its way to the server. */
export interface NewFile {
  readonly id: string;
  readonly content: Blob;
  readonly title?: string;
  readonly mediaType?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** What the queue tells of a file. */
export type UploadNews =
  | { readonly kind: "waiting"; readonly fault: Fault | undefined }
  | { readonly kind: "sending"; readonly sent: number }
  | { readonly kind: "received"; readonly version: number }
  | { readonly kind: "refused"; readonly fault: Fault };

export interface UploadQueueOptions {
  readonly upload: (files: NewFile[], options: UploadOptions) => Promise<Receipt[]>;
  readonly tell: (id: string, news: UploadNews) => void;
  readonly wait: (ms: number) => Promise<void>;
}

/** Requests at once: browsers have six connections to a server, and search and the watch stream need some. */
const requestsAtOnce = 2;
/** Files in one request, so that receipts come often and little is sent twice after a fault. */
const filesAtOnce = 16;
/** A request takes no further file beyond this, so that a large file has one of its own and shows its progress. */
const bytesAtOnce = 2_000_000;

/**
 * Sends files a few at a time. What fails for a passing reason is tried again until it works; what the server refuses
 * is told, and the rest goes on.
 */
export class UploadQueue {
  readonly #options: UploadQueueOptions;
  readonly #waiting: NewFile[] = [];
  readonly #running = new Set<AbortController>();
  /** Files that are sent alone, because a request with others failed as a whole. */
  readonly #alone = new Set<NewFile>();
  #faults = 0;
  #pause: Promise<void> | undefined;

  constructor(options: UploadQueueOptions) {
    this.#options = options;
  }

  add(files: readonly NewFile[]): void {
    this.#waiting.push(...files);
    this.#pump();
  }

  /** Takes back a file that has not left yet. */
  remove(id: string): void {
    const index = this.#waiting.findIndex((file) => file.id === id);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  #pump(): void {
    while (!this.#pause && this.#running.size < requestsAtOnce && this.#waiting.length > 0)
      void this.#send(this.#take());
  }

  #take(): NewFile[] {
    const taken: NewFile[] = [];
    let size = 0;
    while (taken.length < filesAtOnce) {
      const [next] = this.#waiting;
      if (!next) break;
      if (taken.length > 0 && (size + next.content.size > bytesAtOnce || this.#alone.has(next))) break;
      this.#waiting.shift();
      taken.push(next);
      size += next.content.size;
      if (this.#alone.has(next)) break;
    }
    return taken;
  }

  async #send(files: NewFile[]): Promise<void> {
    const controller = new AbortController();
    this.#running.add(controller);
    const { tell } = this.#options;
    const open = new Map(files.map((file) => [file.id, file]));
    try {
      for (const { id } of files) tell(id, { kind: "sending", sent: 0 });
      await this.#options.upload(files, {
        signal: controller.signal,
        onProgress: ({ sentBytes, totalBytes }) => {
          const sent = totalBytes > 0 ? sentBytes / totalBytes : 1;
          for (const id of open.keys()) tell(id, { kind: "sending", sent });
        },
        onReceipt: ({ id, version, error }) => {
          this.#faults = 0;
          open.delete(id);
          if (error) tell(id, { kind: "refused", fault: refusal(error) });
          else tell(id, { kind: "received", version });
        },
      });
      for (const id of open.keys()) tell(id, { kind: "refused", fault: noReceipt });
    } catch (thrown) {
      this.#failed([...open.values()], faultOf(thrown));
    } finally {
      this.#running.delete(controller);
      this.#pump();
    }
  }

  #failed(files: NewFile[], fault: Fault | undefined): void {
    if (!fault) return;
    if (fault.transient) {
      for (const { id } of files) this.#options.tell(id, { kind: "waiting", fault });
      this.#waiting.unshift(...files);
      this.#pause ??= this.#options.wait(fault.retryAfterMs ?? backOff(this.#faults)).then(() => {
        this.#pause = undefined;
        this.#pump();
      });
      this.#faults += 1;
    } else if (files.length > 1) {
      // One of them is at fault; alone each gets its own word.
      for (const file of files) this.#alone.add(file);
      this.#waiting.unshift(...files);
    } else {
      for (const { id } of files) this.#options.tell(id, { kind: "refused", fault });
    }
  }
}

function refusal(error: { readonly reason: string; readonly message: string }): Fault {
  return { ...error, action: "", transient: false, retryAfterMs: undefined };
}

const noReceipt: Fault = {
  message: "The server took the file and gave no receipt for it.",
  action: "Try again.",
  reason: "HW_RECEIPT_MISSING",
  transient: false,
  retryAfterMs: undefined,
};
