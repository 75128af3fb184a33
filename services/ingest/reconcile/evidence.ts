import type { BlobStore } from "@headwater/blob-store";
import type { DocumentKey, IndexedDocument, PassageIndex } from "@headwater/passage-index";
import { Discrepancy, DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import { keyOf } from "../catalog/catalog-rows.ts";
import type { DocumentRecord, ServedDocument } from "../catalog/document-record.ts";
import { isSettled } from "../catalog/document-record.ts";
import { originalsOf, textsOf, versionOfBlob } from "../documents/blob-keys.ts";
import { fingerprintText } from "../pipeline/fingerprint.ts";

/** What the stores hold of one document. */
export interface Evidence {
  readonly key: DocumentKey;
  readonly record: DocumentRecord | undefined;
  /** One a version. */
  readonly indexed: readonly IndexedDocument[];
}

/** What is wrong with one document. */
export interface Finding {
  readonly key: DocumentKey;
  readonly discrepancy: Discrepancy;
  readonly record: DocumentRecord | undefined;
  /** Of UNUSED_BLOB. */
  readonly blobs: readonly string[];
}

/** Looks for many documents in the index at once. @param known one entry a key */
export async function gather(
  index: PassageIndex,
  keys: readonly DocumentKey[],
  known: readonly (DocumentRecord | undefined)[],
): Promise<Evidence[]> {
  const found = new Map<string, IndexedDocument[]>();
  for (const [tenant, ofTenant] of Map.groupBy(keys, (key) => key.tenant)) {
    const ids = ofTenant.map(({ documentId }) => documentId);
    for await (const indexed of index.listDocuments(tenant, ids)) {
      const versions = found.get(keyOf(indexed)) ?? [];
      found.set(keyOf(indexed), [...versions, indexed]);
    }
  }
  return keys.map(({ tenant, documentId }, place) => {
    const key = { tenant, documentId };
    return { key, record: known[place], indexed: found.get(keyOf(key)) ?? [] };
  });
}

/** What differs between the catalog and the indexes; undefined where nothing does. */
export function judgeIndexed({ record, indexed }: Evidence, index: PassageIndex): Discrepancy | undefined {
  // A version is on its way, and will put its own passages in the place of whatever is there.
  if (record && !isSettled(record.status.state)) return undefined;
  const served = record?.served;
  if (!served) return indexed.length > 0 ? Discrepancy.ORPHANED_PASSAGES : undefined;
  // Given up in the very version that is served, as by a reindex: a dead letter tells of it.
  if (record.status.state === DocumentState.FAILED && record.status.version === served.version)
    return undefined;
  const [one, ...others] = indexed;
  if (!one) return served.passages > 0 ? Discrepancy.MISSING_PASSAGES : undefined;
  if (others.length > 0 || one.version !== served.version) return Discrepancy.OTHER_VERSION;
  const isWhole = one.lexicalPassages === one.vectorPassages && isExpected(served, one, index);
  return isWhole ? undefined : Discrepancy.INCOMPLETE_PASSAGES;
}

/** Passages of another chunking, as while a reindex runs or after its undo, are of another number. */
function isExpected(served: ServedDocument, one: IndexedDocument, { fingerprint }: PassageIndex): boolean {
  return served.fingerprint !== fingerprintText(fingerprint) || served.passages === one.lexicalPassages;
}

/** What is wrong with a document's blobs. */
export async function judgeBlobs(
  blobs: BlobStore,
  { status, served, settledVersion }: DocumentRecord,
): Promise<readonly Pick<Finding, "discrepancy" | "blobs">[]> {
  const findings: Pick<Finding, "discrepancy" | "blobs">[] = [];
  if (served && (await blobs.size(served.originalKey)) === undefined)
    findings.push({ discrepancy: Discrepancy.MISSING_ORIGINAL, blobs: [] });
  else if (served && (await blobs.size(served.textKey)) === undefined)
    findings.push({ discrepancy: Discrepancy.MISSING_TEXT, blobs: [] });
  const unused: string[] = [];
  for (const folder of [originalsOf(status), textsOf(status)]) {
    for await (const key of blobs.list(folder)) {
      const version = versionOfBlob(key);
      const isServed = key === served?.originalKey || key === served?.textKey;
      // That of the newest version may be on its way; an older one is never written again.
      if (version !== undefined && version < settledVersion && !isServed) unused.push(key);
    }
  }
  if (unused.length > 0) findings.push({ discrepancy: Discrepancy.UNUSED_BLOB, blobs: unused });
  return findings;
}

/** True where two looks at a document have seen the same. */
export function isSame(one: Finding, other: Finding): boolean {
  return (
    one.discrepancy === other.discrepancy &&
    one.record?.settledVersion === other.record?.settledVersion &&
    one.record?.served?.version === other.record?.served?.version
  );
}
