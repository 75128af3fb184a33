import { createHash } from "node:crypto";
import { EventEmitter, on } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type {
  CreateUploadRequest,
  Document,
  PushDocument,
  PushRequest,
  PushResponse,
  PutUploadRequest,
} from "@headwater/proto/services/headwater/v1/ingest";
import { Discrepancy, DocumentState, ReindexState } from "@headwater/proto/services/headwater/v1/ingest";
import type { DoubleContext as Context } from "./double-call.ts";
import type { Seen } from "./misbehaviour.ts";
import { note } from "./misbehaviour.ts";
import { directUrl, UploadsDouble } from "./uploads-double.ts";

interface Stored {
  document: Document;
  bytes: Buffer;
}

export function ingestDouble(seen: Seen) {
  const stored = new Map<string, Stored>();
  const uploads = new UploadsDouble();
  const changes = new EventEmitter().setMaxListeners(0);
  let offset = 0;
  const key = (tenant: string, id: string) => `${tenant || "default"}/${id}`;
  const find = (tenant: string, id: string, context: Context) => {
    note(seen, tenant, context);
    const found = stored.get(key(tenant, id));
    if (found) return found;
    throw new HeadwaterError({
      code: status.NOT_FOUND,
      reason: "HW_DOCUMENT_NOT_FOUND",
      message: "There is no document of this id.",
      action: "Check the id.",
    });
  };

  const finish = (start: PushDocument, pieces: Buffer[], bytes: number, sha256: string): PushResponse => {
    const uploaded = start.upload === "" ? undefined : uploads.contentOf(start);
    if (start.id === "" || start.id.startsWith("refused") || (start.upload !== "" && !uploaded)) {
      return {
        id: start.id,
        version: 0,
        partition: 0,
        offset: 0,
        error: { reason: "HW_DOCUMENT_ID_INVALID", message: "The id is not valid." },
      };
    }
    const version = start.version || 1;
    const { id, title, uri, mediaType, attributes, observedTime } = start;
    const entry: Stored = {
      bytes: uploaded ?? Buffer.concat(pieces),
      document: {
        metadata: { id, version, title, uri, mediaType, attributes, observedTime },
        state: DocumentState.INDEXED,
        failure: undefined,
        sizeBytes: bytes,
        passages: 1,
        textLength: bytes,
        updatedTime: new Date("2026-11-01T12:00:01Z"),
        contentSha256: sha256,
      },
    };
    stored.set(key(start.tenant, id), entry);
    changes.emit("change", start.tenant || "default", entry.document);
    offset += 1;
    return { id, version, partition: 3, offset, error: undefined };
  };

  return {
    async *push(requests: AsyncIterable<PushRequest>, context: Context): AsyncGenerator<PushResponse> {
      let start: PushDocument | undefined;
      let pieces: Buffer[] = [];
      let bytes = 0;
      let hash = createHash("sha256");
      try {
        for await (const { part } of requests) {
          if (part === undefined) throw invalidArgument("HW_PUSH_INVALID", "A message without a part.");
          if (seen.pushPaceMs > 0) await new Promise((resolve) => setTimeout(resolve, seen.pushPaceMs));
          if (part.$case === "document") {
            start = part.value;
            pieces = [];
            bytes = 0;
            hash = createHash("sha256");
            note(seen, start.tenant, context);
          }
          if (start === undefined) throw invalidArgument("HW_PUSH_INVALID", "A piece without a document.");
          const data = part.$case === "document" ? part.value.content : part.value.data;
          seen.pushedBytes += data.length;
          bytes += data.length;
          hash.update(data);
          // Only what fits a test's memory is kept; a push of a gigabyte is counted, not stored.
          if (bytes <= 1024 * 1024) pieces.push(Buffer.from(data));
          if (!part.value.more) yield finish(start, pieces, bytes, hash.digest("hex"));
        }
      } finally {
        // grpc-js ends the requests of a cancelled call first and says that it was cancelled a moment later.
        await delay(seen.pushEndMs, undefined, { signal: context.signal }).catch(() => {
          seen.cancelled += 1;
        });
      }
    },
    async *watch(
      request: { tenant: string; ids: string[]; untilSettled: boolean; changesOnly: boolean },
      context: Context,
    ) {
      note(seen, request.tenant, context);
      context.abortOnTerminate();
      const tenant = request.tenant || "default";
      try {
        const changed = on(changes, "change", { signal: context.signal });
        const chosen = ({ metadata }: Document) =>
          request.ids.length === 0 || request.ids.includes(metadata?.id ?? "");
        if (!request.changesOnly)
          for (const [name, { document }] of stored)
            if (name.startsWith(`${tenant}/`) && chosen(document)) yield { document };
        if (request.untilSettled) return;
        for await (const [owner, document] of changed as AsyncIterable<[string, Document]>)
          if (owner === tenant && chosen(document)) yield { document };
      } finally {
        if (context.signal.aborted) seen.cancelled += 1;
      }
    },
    async getDocument({ tenant, id }: { tenant: string; id: string }, context: Context) {
      return { document: find(tenant, id, context).document };
    },
    async getText(
      request: {
        tenant: string;
        id: string;
        version: number;
        range: { start: number; end: number } | undefined;
      },
      context: Context,
    ) {
      const { document, bytes } = find(request.tenant, request.id, context);
      const whole = bytes.toString();
      const start = Math.min(request.range?.start ?? 0, whole.length);
      const end = Math.min(request.range?.end ?? whole.length, whole.length);
      return {
        metadata: document.metadata,
        text: whole.slice(start, end),
        range: { start, end },
        textLength: whole.length,
      };
    },
    async createUpload(request: CreateUploadRequest, context: Context) {
      note(seen, request.tenant, context);
      return uploads.create(request);
    },
    async putUpload(requests: AsyncIterable<PutUploadRequest>) {
      return await uploads.put(requests);
    },
    async *getOriginal(
      { tenant, id, preferUrl }: { tenant: string; id: string; preferUrl: boolean },
      context: Context,
    ) {
      const { document, bytes } = find(tenant, id, context);
      if (preferUrl && id.startsWith("direct")) {
        yield {
          metadata: document.metadata,
          url: directUrl + id,
          expiresTime: new Date("2026-11-01T12:15:00Z"),
        };
        return;
      }
      yield { metadata: document.metadata, data: bytes.subarray(0, 4) };
      yield { data: bytes.subarray(4) };
    },
    async listDocuments(
      request: {
        tenant: string;
        pageSize: number;
        pageToken: string;
        states: DocumentState[];
        idPrefix: string;
      },
      context: Context,
    ) {
      note(seen, request.tenant, context);
      const prefix = key(request.tenant, request.idPrefix);
      const names = [...stored.keys()].filter((name) => name.startsWith(prefix)).sort();
      const from = request.pageToken === "" ? 0 : Number(request.pageToken);
      const size = request.pageSize || 100;
      const documents = names.slice(from, from + size).flatMap((name) => {
        const found = stored.get(name)?.document;
        return found && (request.states.length === 0 || request.states.includes(found.state)) ? [found] : [];
      });
      return { documents, nextPageToken: from + size < names.length ? String(from + size) : "" };
    },
    async deleteDocument({ tenant, id }: { tenant: string; id: string }, context: Context) {
      note(seen, tenant, context);
      stored.delete(key(tenant, id));
      offset += 1;
      return { partition: 3, offset };
    },
    async getPipeline({ tenant }: { tenant: string }, context: Context) {
      note(seen, tenant, context);
      return {
        documents: [{ state: DocumentState.INDEXED, documents: stored.size }],
        partitions: [{ partition: 0, endOffset: 10, committedOffset: 7 }],
        deadLetters: 1,
        passages: 12,
        indexFingerprint: "abc",
        indexedSinceStart: stored.size,
      };
    },
    async listDeadLetters({ tenant }: { tenant: string }, context: Context) {
      note(seen, tenant, context);
      const failure = {
        stage: "parse",
        reason: "HW_DOCUMENT_ENCRYPTED",
        message: "The PDF asks for a password.",
        attempts: 1,
      };
      const letter = { id: "0:5", documentId: "locked.pdf", version: 4, failure, partition: 0, offset: 5 };
      return {
        deadLetters: [{ ...letter, failedTime: new Date("2026-11-02T00:00:00Z") }],
        nextPageToken: "",
      };
    },
    async getDeadLetter({ tenant, id }: { tenant: string; id: string }, context: Context) {
      note(seen, tenant, context);
      return {
        deadLetter: { id, documentId: "locked.pdf", version: 4, partition: 0, offset: 5 },
        metadata: { id: "locked.pdf", version: 4, title: "Locked" },
        headers: { traceparent: "00-1" },
        sizeBytes: 3,
        content: Buffer.from("%PD"),
      };
    },
    async replayDeadLetters({ tenant, ids }: { tenant: string; ids: string[] }, context: Context) {
      note(seen, tenant, context);
      return { replayed: ids.length || 1 };
    },
    async *reindex({ tenant }: { tenant: string }, context: Context) {
      note(seen, tenant, context);
      yield { done: 0, total: 2, failed: 0 };
      yield { done: 2, total: 2, failed: 0 };
    },
    async getReindex(_request: object, context: Context) {
      note(seen, "", context);
      return {
        state: ReindexState.SWITCHED,
        done: 2,
        total: 2,
        generations: [{ name: "g1", serves: true, passages: 12, fingerprint: "abc" }],
        fingerprint: "abc",
      };
    },
    async *reconcile({ tenant, repair }: { tenant: string; repair: boolean }, context: Context) {
      note(seen, tenant, context);
      const discrepancy = Discrepancy.MISSING_PASSAGES;
      yield { done: 0, total: 2, findings: [] };
      const examples = [{ tenant, id: "a" }];
      yield { done: 2, total: 2, findings: [{ discrepancy, found: 1, mended: repair ? 1 : 0, examples }] };
    },
  };
}
