import { Code } from "@connectrpc/connect";
import { HeadwaterClientError } from "./error.ts";
import type { Receipt } from "./push.ts";

/** A file as a browser gives it, or a blob with what is known of it. */
export type UploadFile =
  | File
  | {
      content: Blob;
      /** Default: the file's path or name. */
      id?: string;
      title?: string;
      uri?: string;
      /** Default: the blob's type. */
      mediaType?: string;
      attributes?: Readonly<Record<string, string>>;
    };

export interface UploadProgress {
  /** Bytes that have left, over all files; multipart framing included, so it is a close estimate. */
  readonly sentBytes: number;
  readonly totalBytes: number;
  /** Documents whose receipt has come. */
  readonly received: number;
  readonly total: number;
}

export interface UploadOptions {
  signal?: AbortSignal;
  /** Owner of the documents; ignored by a server with sign-in. */
  tenant?: string;
  onProgress?: (progress: UploadProgress) => void;
  /** Called as each receipt comes. */
  onReceipt?: (receipt: Receipt) => void;
}

export interface UploadTarget {
  /** Of the gateway; undefined where the client was made with a transport alone. */
  readonly baseUrl: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Files in one request at most: a lost connection then costs no more than these. */
const batchFiles = 50;
/** Bytes in one request, passed by the file that reaches them. */
const batchBytes = 64 * 1024 * 1024;

/** @throws HeadwaterClientError; documents whose receipt came before are in the log */
export async function uploadFiles(
  target: UploadTarget,
  files: Iterable<UploadFile>,
  options: UploadOptions,
): Promise<Receipt[]> {
  if (target.baseUrl === undefined) {
    throw new HeadwaterClientError({
      code: Code.FailedPrecondition,
      reason: "HW_BASE_URL_MISSING",
      message: "Uploads go over HTTP, and this client knows no base URL.",
      action: "Create the client with `baseUrl`, or use `push`.",
    });
  }
  const all = [...files].map(describe);
  const totalBytes = all.reduce((sum, { content }) => sum + content.size, 0);
  const receipts: Receipt[] = [];
  let earlierBytes = 0;
  let sentBytes = 0;
  const report = () =>
    options.onProgress?.({ sentBytes, totalBytes, received: receipts.length, total: all.length });
  for (const batch of batches(all)) {
    const bytes = batch.reduce((sum, { content }) => sum + content.size, 0);
    const take = lineReader((line) => {
      const receipt = toReceipt(line);
      receipts.push(receipt);
      options.onReceipt?.(receipt);
      report();
    });
    await send({
      url: new URL("/v1/documents", target.baseUrl).href,
      headers: {
        ...target.headers,
        ...(options.tenant === undefined ? {} : { "x-headwater-tenant": options.tenant }),
        accept: "application/x-ndjson",
      },
      body: formOf(batch),
      signal: options.signal,
      onSent(sent) {
        sentBytes = Math.min(earlierBytes + sent, totalBytes);
        report();
      },
      onText: take,
    });
    earlierBytes += bytes;
    sentBytes = earlierBytes;
    report();
  }
  return receipts;
}

type Described = Exclude<UploadFile, File> & { id: string };

function describe(file: UploadFile): Described {
  const described = "content" in file ? file : { content: file };
  const { content } = described;
  const name = content instanceof File ? pathOf(content) : "";
  const id = described.id ?? name;
  if (id === "") {
    throw new HeadwaterClientError({
      code: Code.InvalidArgument,
      reason: "HW_DOCUMENT_ID_MISSING",
      message: "A file without a name has no id.",
      action: "Give each nameless blob an `id`.",
    });
  }
  return { ...described, id };
}

/** A file that came with its folder keeps its path; `webkitRelativePath` is there in browsers only. */
function pathOf(file: File): string {
  const path = "webkitRelativePath" in file ? file.webkitRelativePath : "";
  return typeof path === "string" && path !== "" ? path : file.name;
}

function* batches(files: readonly Described[]): Generator<Described[]> {
  let batch: Described[] = [];
  let bytes = 0;
  for (const file of files) {
    batch.push(file);
    bytes += file.content.size;
    if (batch.length < batchFiles && bytes < batchBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Each file follows a field `document` that says what it is. */
function formOf(files: readonly Described[]): FormData {
  const form = new FormData();
  for (const { content, id, title, uri, mediaType, attributes } of files) {
    form.append("document", JSON.stringify({ id, title, uri, media_type: mediaType, attributes }));
    form.append("file", content, id.split("/").at(-1) ?? id);
  }
  return form;
}

interface UploadCall {
  url: string;
  headers: Record<string, string>;
  body: FormData;
  signal: AbortSignal | undefined;
  onSent: (bytes: number) => void;
  onText: (text: string) => void;
}

/** The part of XMLHttpRequest that is used: the DOM's types would otherwise reach every Node package too. */
interface UploadRequest {
  readonly status: number;
  readonly responseText: string;
  readonly upload: { onprogress: ((event: { loaded: number }) => void) | null };
  onprogress: (() => void) | null;
  onload: (() => void) | null;
  onerror: (() => void) | null;
  onabort: (() => void) | null;
  onloadend: (() => void) | null;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  send(body: FormData): void;
  abort(): void;
}
declare const XMLHttpRequest: (new () => UploadRequest) | undefined;

/** XMLHttpRequest where there is one: fetch does not tell how much has been sent. */
async function send(call: UploadCall): Promise<void> {
  if (typeof XMLHttpRequest === "undefined") return sendByFetch(call);
  const Request = XMLHttpRequest;
  await new Promise<void>((resolve, reject) => {
    const request = new Request();
    let read = 0;
    const take = () => {
      if (request.status !== 200) return;
      call.onText(request.responseText.slice(read));
      read = request.responseText.length;
    };
    const abort = () => request.abort();
    request.open("POST", call.url);
    for (const [name, value] of Object.entries(call.headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => call.onSent(loaded);
    request.onprogress = take;
    request.onload = () => {
      try {
        take();
        if (request.status === 200) resolve();
        else reject(HeadwaterClientError.fromHttp(request.status, request.responseText));
      } catch (thrown) {
        reject(HeadwaterClientError.from(thrown));
      }
    };
    request.onerror = () => reject(HeadwaterClientError.from(new TypeError("upload failed")));
    request.onabort = () => reject(cancelled());
    request.onloadend = () => call.signal?.removeEventListener("abort", abort);
    call.signal?.addEventListener("abort", abort, { once: true });
    if (call.signal?.aborted) reject(cancelled());
    else request.send(call.body);
  });
}

async function sendByFetch(call: UploadCall): Promise<void> {
  try {
    const response = await fetch(call.url, {
      method: "POST",
      headers: call.headers,
      body: call.body,
      ...(call.signal ? { signal: call.signal } : {}),
    });
    if (!response.ok || !response.body)
      throw HeadwaterClientError.fromHttp(response.status, await response.text());
    const decoder = new TextDecoder();
    for await (const bytes of response.body) call.onText(decoder.decode(bytes, { stream: true }));
  } catch (thrown) {
    throw call.signal?.aborted ? cancelled() : HeadwaterClientError.from(thrown);
  }
}

function cancelled(): HeadwaterClientError {
  return new HeadwaterClientError({
    code: Code.Canceled,
    reason: "HW_CANCELLED",
    message: "The upload was cancelled.",
  });
}

/** Gathers text into lines; a line may come in pieces. */
function lineReader(take: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") take(line);
  };
}

/** @throws HeadwaterClientError where the line is the error that ended the whole upload */
function toReceipt(line: string): Receipt {
  const value = JSON.parse(line) as Partial<Receipt> & { error?: { reason: string; message: string } };
  if (value.id === undefined) throw HeadwaterClientError.fromHttp(500, line);
  return {
    id: value.id,
    version: value.version ?? 0,
    partition: value.partition ?? 0,
    offset: value.offset ?? 0,
    error: value.error && { reason: value.error.reason, message: value.error.message },
  };
}
