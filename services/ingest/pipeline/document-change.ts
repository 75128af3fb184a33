import { createHash } from "node:crypto";
import type { LogRecord } from "@headwater/document-log";
import { firstAppended, parseRecordKey } from "@headwater/document-log";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { DocumentKey } from "@headwater/passage-index";
import { DocumentEvent } from "@headwater/proto/services/headwater/v1/event";
import { checkTenant, defaultName } from "@headwater/rpc";
import { mayOwn } from "../documents/blob-keys.ts";
import { checkDeclaredDocument } from "../documents/document-rules.ts";

/** Set on events that a reindex of one tenant puts into the log: passages are made anew, whatever is known. */
export const reindexHeader = "headwater-reindex";

/** Set on tombstones of a reconciliation: only what the catalog does not serve is removed. */
export const sweepHeader = "headwater-sweep";

export interface DocumentPut extends DocumentKey {
  readonly kind: "put";
  readonly version: number;
  readonly title: string;
  readonly uri: string;
  /** As declared; may be empty. */
  readonly mediaType: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Unix milliseconds; undefined where the producer did not say. */
  readonly observedAt: number | undefined;
  readonly content:
    | { readonly $case: "inline"; readonly value: Uint8Array }
    | { readonly $case: "blob"; readonly value: string };
  /** Lower-case hex. Empty: not known before the blob is read. */
  readonly contentSha256: string;
  /** Of title, uri, media type and attributes. */
  readonly descriptionHash: string;
  readonly reindex: boolean;
}

export interface DocumentDeletion extends DocumentKey {
  readonly kind: "delete";
}

/** Removes what the indexes hold of a document that the catalog does not serve. */
export interface DocumentSweep extends DocumentKey {
  readonly kind: "sweep";
}

/** What a record of the log says. */
export type DocumentChange = DocumentPut | DocumentDeletion | DocumentSweep;

/** @throws HeadwaterError INVALID_ARGUMENT: the record can never be read */
export function readDocumentChange(record: LogRecord): DocumentChange {
  const key = parseRecordKey(record.key);
  if (!key) throw invalidArgument("HW_EVENT_KEY_INVALID", 'The key of a record must be "tenant/id".');
  if (record.value === null)
    return { kind: record.headers[sweepHeader] === undefined ? "delete" : "sweep", ...key };
  const event = decodeEvent(record.value, record.headers);
  checkDeclaredDocument(event);
  const tenant = checkTenant(event.tenant);
  const documentId = event.id;
  if (tenant !== key.tenant || documentId !== key.documentId)
    throw invalidArgument("HW_EVENT_KEY_MISMATCH", "Tenant or id of an event differ from its record's key.");
  if (!event.content) throw invalidArgument("HW_EVENT_WITHOUT_CONTENT", "The event holds no content.");
  if (event.content.$case === "blob" && !mayOwn(key, event.content.value)) {
    throw invalidArgument(
      "HW_BLOB_FORBIDDEN",
      "The event names a blob that does not belong to its document.",
      "Push large documents through IngestService.",
    );
  }
  const { title, uri, mediaType, attributes, content } = event;
  return {
    kind: "put",
    ...{ tenant, documentId, title, uri, mediaType, attributes, content },
    version: event.version === 0 ? firstAppended(record) : event.version,
    observedAt: event.observedTime?.getTime(),
    // Never taken on trust where it can be computed: a wrong one would hide a change of the content.
    contentSha256: content.$case === "inline" ? sha256(content.value) : event.contentSha256.toLowerCase(),
    descriptionHash: hashDescription(event),
    reindex: record.headers[reindexHeader] !== undefined,
  };
}

export function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** A protobuf event can never begin with "{": that would be a group, which proto3 does not have. */
const openBrace = 0x7b;
/** Both alphabets, as the protobuf JSON mapping allows; Node would skip what is neither. */
const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

function decodeEvent(value: Uint8Array, headers: LogRecord["headers"]): DocumentEvent {
  const declared = headers["content-type"]?.trim().toLowerCase() ?? "";
  if (value[0] === openBrace || declared.startsWith("application/json")) return decodeJson(value);
  try {
    return DocumentEvent.decode(value);
  } catch (thrown) {
    throw malformed("The record's value is neither a protobuf nor a JSON DocumentEvent.", thrown);
  }
}

function decodeJson(value: Uint8Array): DocumentEvent {
  let json: { readonly inline?: unknown };
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value));
  } catch (thrown) {
    // The parser's own message quotes the document.
    throw malformed("The record's value is not valid JSON.", thrown);
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw malformed("The record's value is JSON, but not an object.");
  if (json.inline !== undefined && !(typeof json.inline === "string" && base64.test(json.inline)))
    throw malformed("The event's inline content is not base64.");
  let event: DocumentEvent;
  try {
    event = DocumentEvent.fromJSON(json);
  } catch (thrown) {
    throw malformed("The record's value is JSON, but not a DocumentEvent.", thrown);
  }
  if (event.observedTime && Number.isNaN(event.observedTime.getTime()))
    throw malformed("The event's observedTime is not of the form 2026-01-31T12:00:00Z.");
  return { ...event, tenant: event.tenant || defaultName };
}

function malformed(message: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    ...{ code: status.INVALID_ARGUMENT, reason: "HW_EVENT_MALFORMED", message, cause },
    action: "Compare what the producer writes with docs/kafka.md.",
  });
}

function hashDescription({ title, uri, mediaType, attributes }: DocumentEvent): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([title, uri, mediaType, sorted]))
    .digest("hex")
    .slice(0, 32);
}
