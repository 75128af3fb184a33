import { HeadwaterError, status } from "@headwater/errors";
import type {
  DeepPartial,
  Document,
  IngestServiceDefinition,
  PushRequest,
} from "@headwater/proto/services/headwater/v1/ingest";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import type { RpcClient } from "@headwater/rpc";
import type { SafeFetch } from "@headwater/safe-fetch";
import { z } from "zod";
import type { Job, JobContext, JobKind, JsonObject } from "../job.ts";
import { readInput } from "../job-input.ts";

const declared = {
  id: z.string().min(1).max(512).optional(),
  title: z.string().max(1024).optional(),
  media_type: z.string().max(255).optional(),
  attributes: z.record(z.string(), z.string()).optional(),
};
const inputSchema = z.strictObject({
  documents: z
    .array(
      z.union([
        z.strictObject({ ...declared, id: z.string().min(1).max(512), text: z.string() }),
        z.strictObject({ ...declared, url: z.url({ protocol: /^https?$/ }) }),
      ]),
    )
    .min(1)
    .max(1024),
});

type DeclaredDocument = z.output<typeof inputSchema>["documents"][number];

/** Bytes of a document that is fetched. */
const maxBytes = 64 * 1024 * 1024;
/** Bytes in one message of a push. */
const pieceBytes = 1024 * 1024;

/** A document that could not be taken, or read. */
interface Failure {
  readonly id: string;
  readonly reason: string;
  readonly message: string;
}

/** Takes in documents that stand in the job or at addresses, and waits until each is indexed or has failed. */
export function indexJob(ingest: RpcClient<IngestServiceDefinition>, web: SafeFetch): JobKind {
  return {
    name: "index",
    concurrency: 2,
    check: (input) => void readInput(inputSchema, input),
    async run(job, context) {
      const { documents } = readInput(inputSchema, job.input);
      return await new IndexRun(ingest, web, job, context).run(documents);
    },
  };
}

class IndexRun {
  readonly #ingest: RpcClient<IngestServiceDefinition>;
  readonly #web: SafeFetch;
  readonly #job: Job;
  readonly #context: JobContext;
  readonly #failures: Failure[] = [];

  constructor(ingest: RpcClient<IngestServiceDefinition>, web: SafeFetch, job: Job, context: JobContext) {
    this.#ingest = ingest;
    this.#web = web;
    this.#job = job;
    this.#context = context;
  }

  async run(documents: readonly DeclaredDocument[]): Promise<JsonObject> {
    const { signal, report } = this.#context;
    const total = 2 * documents.length;
    const ids: string[] = [];
    const requests = this.#ingest.call.push(this.#pushes(documents), { signal });
    for await (const { id, error } of requests) {
      if (error) this.#failures.push({ id, reason: error.reason, message: error.message });
      else ids.push(id);
      report({ done: ids.length + this.#failures.length, total, note: `taken: ${id}`.slice(0, 256) });
    }
    const indexed = ids.length === 0 ? 0 : await this.#settle([...new Set(ids)], total);
    return { indexed, failed: this.#failures.length, failures: this.#failures.slice(0, 100) };
  }

  async *#pushes(documents: readonly DeclaredDocument[]): AsyncGenerator<DeepPartial<PushRequest>> {
    for (const document of documents) {
      const id = document.id ?? ("url" in document ? document.url : "");
      let fetched: { content: Uint8Array; mediaType: string };
      try {
        fetched = await this.#contentOf(document);
      } catch (thrown) {
        this.#context.signal.throwIfAborted();
        const { reason, message, code } = HeadwaterError.from(thrown);
        // What is away for a while is a matter for the next attempt; what is refused or not there for nobody.
        if (code === status.UNAVAILABLE || code === status.DEADLINE_EXCEEDED) throw thrown;
        this.#failures.push({ id, reason, message });
        continue;
      }
      yield* pieces(this.#job.tenant, id, document, fetched);
    }
  }

  async #contentOf(document: DeclaredDocument): Promise<{ content: Uint8Array; mediaType: string }> {
    if ("text" in document)
      return { content: new TextEncoder().encode(document.text), mediaType: document.media_type ?? "" };
    const { signal } = this.#context;
    const answer = await this.#web.fetch({ url: document.url, signal, maxBytes });
    if (answer.status < 200 || answer.status > 299) {
      const retry = answer.status === 429 || answer.status >= 500;
      throw new HeadwaterError({
        code: retry ? status.UNAVAILABLE : status.NOT_FOUND,
        reason: "HW_FETCH_REFUSED",
        message: `${answer.url} answered with ${answer.status}.`,
      });
    }
    return {
      content: answer.body,
      mediaType: document.media_type ?? answer.headers.get("content-type") ?? "",
    };
  }

  /** @returns how many were indexed */
  async #settle(ids: readonly string[], total: number): Promise<number> {
    const { signal, report } = this.#context;
    const settled = new Map<string, DocumentState>();
    const changes = this.#ingest.call.watch(
      { tenant: this.#job.tenant, ids: [...ids], untilSettled: true },
      { signal },
    );
    for await (const { document } of changes) {
      if (document) this.#noteState(document, settled);
      report({ done: total / 2 + settled.size, total, note: "indexing" });
    }
    return [...settled.values()].filter((state) => state === DocumentState.INDEXED).length;
  }

  #noteState({ metadata, state, failure }: Document, settled: Map<string, DocumentState>): void {
    const id = metadata?.id ?? "";
    if (state === DocumentState.FAILED && settled.get(id) !== state)
      this.#failures.push({ id, reason: failure?.reason ?? "", message: failure?.message ?? "" });
    if (state === DocumentState.INDEXED || state === DocumentState.FAILED || state === DocumentState.DELETED)
      settled.set(id, state);
  }
}

function* pieces(
  tenant: string,
  id: string,
  document: DeclaredDocument,
  { content, mediaType }: { content: Uint8Array; mediaType: string },
): Generator<DeepPartial<PushRequest>> {
  const more = (end: number) => end < content.byteLength;
  const value = {
    ...{ tenant, id, mediaType, more: more(pieceBytes), content: content.subarray(0, pieceBytes) },
    ...(document.title === undefined ? {} : { title: document.title }),
    ...("url" in document ? { uri: document.url } : {}),
    ...(document.attributes ? { attributes: document.attributes } : {}),
  };
  yield { part: { $case: "document", value } };
  for (let start = pieceBytes; start < content.byteLength; start += pieceBytes) {
    const end = start + pieceBytes;
    yield { part: { $case: "chunk", value: { data: content.subarray(start, end), more: more(end) } } };
  }
}
