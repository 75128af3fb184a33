import type { KeptRecords, RecordSnapshot } from "@headwater/record-store";
import { migrations } from "./catalog/schema.ts";

export type { SuccessfulBackup } from "./catalog/backup-ledger.ts";
export { BackupLedger } from "./catalog/backup-ledger.ts";

/**
 * What a backup keeps of ingest's records: all but what is about the indexes, which are made anew, about backups, and
 * the secret that rights to upload are signed with, which live for minutes.
 */
export const keptRecords: KeptRecords = {
  schema: "ingest",
  migrations,
  leftOut: ["reindex", "reindex_changes", "upload_secret", "backup"],
};

/** The original of a document that is served. Its key is of this version alone, so what lies under it never changes. */
export interface Original {
  readonly tenant: string;
  readonly id: string;
  readonly key: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** The originals that a snapshot of ingest's records refers to, by tenant and id in the order of their bytes. */
export function originalsOf(snapshot: RecordSnapshot): AsyncGenerator<readonly Original[]> {
  return snapshot.read<Original>(
    `SELECT tenant, id, served ->> 'originalKey' AS key, (served ->> 'sizeBytes')::bigint AS size,
       served ->> 'contentSha256' AS sha256
     FROM documents WHERE served IS NOT NULL ORDER BY tenant, id`,
  );
}
