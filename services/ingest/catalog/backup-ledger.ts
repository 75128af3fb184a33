import { HeadwaterError, status } from "@headwater/errors";
import type { RecordStore } from "@headwater/record-store";
import { nowMs } from "./catalog-rows.ts";

export interface SuccessfulBackup {
  readonly name: string;
  /** Unix milliseconds at which it began: what came later is not in it. */
  readonly at: number;
}

/** True while a backup needs the blobs of its moment; for a WHERE. */
export const blobsAreKept = `EXISTS (SELECT FROM backup WHERE blobs_kept_until >= ${nowMs})`;

/**
 * What the processes of ingest and a backup tell each other: that no blob may be deleted while its originals are
 * copied, and when the last one succeeded.
 */
export class BackupLedger {
  readonly #store: RecordStore;

  /** @param store whose schema is current */
  constructor(store: RecordStore) {
    this.#store = store;
  }

  /**
   * From now on no blob is deleted, for so long. What a backup sees in the catalog afterwards stays where it is.
   *
   * @throws HeadwaterError ABORTED while another backup runs
   */
  async keepBlobs(owner: string, ms: number): Promise<void> {
    const rows = await this.#store.query(
      `UPDATE backup SET owner = $1, blobs_kept_until = ${nowMs} + $2::bigint
       WHERE owner IS NULL OR owner = $1 OR blobs_kept_until < ${nowMs} RETURNING owner`,
      [owner, ms],
    );
    if (rows.length > 0) return;
    throw new HeadwaterError({
      ...{ code: status.ABORTED, reason: "HW_BACKUP_RUNNING" },
      message: "Another backup is under way.",
      action: "Wait for it to end; one that died holds its place for a minute.",
    });
  }

  async letBlobsGo(owner: string): Promise<void> {
    await this.#store.query("UPDATE backup SET owner = NULL, blobs_kept_until = 0 WHERE owner = $1", [owner]);
  }

  async keepsBlobs(): Promise<boolean> {
    const [row] = await this.#store.query<{ kept: boolean }>(`SELECT ${blobsAreKept} AS kept`);
    return row?.kept === true;
  }

  async noteSuccess({ name, at }: SuccessfulBackup): Promise<void> {
    await this.#store.query("UPDATE backup SET last_success = $1, last_success_at = $2::bigint", [name, at]);
  }

  async lastSuccess(): Promise<SuccessfulBackup | undefined> {
    const [row] = await this.#store.query<SuccessfulBackup>(
      "SELECT last_success AS name, last_success_at AS at FROM backup WHERE last_success IS NOT NULL",
    );
    return row;
  }
}
