import type { Migration } from "@headwater/record-store";

/**
 * `status` and `served` are documents of their own kind (see `DocumentStatus` and `ServedDocument`): they are read
 * and written whole. What is searched or compared inside the database has a column. The collation makes the order of
 * ids that of their bytes, whatever the locale of the server.
 *
 * A document is written when it is queued, when it is settled, and whenever it is sent again: half of each page is left
 * for the next version of its rows (1.1 KB each), which then need no new entry in the index and leave nothing behind for
 * VACUUM. In the embedded database a document that is sent again takes 34 us instead of 45.
 *
 * `unused_blobs` is what a change of the catalog leaves behind in the blob store. Written in the same transaction, so
 * that a crash cannot lose a blob for ever; emptied by BlobSweeper.
 *
 * `upload_secret` has one row: what the processes of ingest sign the rights to upload with.
 *
 * `reindex` has one row, and `reindex_changes` the documents that the generation which does not serve has yet to take
 * in; see GenerationLedger.
 *
 * `backup` has one row; see BackupLedger.
 */
export const migrations: readonly Migration[] = [
  {
    id: 1,
    name: "documents",
    sql: `
      CREATE TABLE documents (
        tenant text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        version bigint NOT NULL,
        state smallint NOT NULL,
        updated_at bigint NOT NULL,
        status jsonb NOT NULL,
        settled_version bigint NOT NULL,
        served jsonb,
        PRIMARY KEY (tenant, id)
      );
      CREATE TABLE unused_blobs (
        key text COLLATE "C" PRIMARY KEY
      );
    `,
  },
  {
    id: 2,
    name: "reindex",
    sql: `
      CREATE TABLE reindex (
        the_one boolean PRIMARY KEY DEFAULT true CHECK (the_one),
        serving text,
        other text,
        state smallint NOT NULL DEFAULT 0,
        cursor_tenant text,
        cursor_id text,
        done bigint NOT NULL DEFAULT 0,
        total bigint NOT NULL DEFAULT 0,
        failed bigint NOT NULL DEFAULT 0,
        started_at bigint NOT NULL DEFAULT 0,
        owner text,
        leased_until bigint NOT NULL DEFAULT 0,
        settles_from bigint NOT NULL DEFAULT 0
      );
      INSERT INTO reindex DEFAULT VALUES;
      CREATE TABLE reindex_changes (
        tenant text COLLATE "C" NOT NULL,
        id text COLLATE "C" NOT NULL,
        revision bigint NOT NULL,
        PRIMARY KEY (tenant, id)
      );
    `,
  },
  {
    id: 3,
    name: "upload secret",
    sql: `
      CREATE TABLE upload_secret (
        the_one boolean PRIMARY KEY DEFAULT true CHECK (the_one),
        secret text NOT NULL
      );
    `,
  },
  {
    id: 4,
    name: "backup",
    sql: `
      CREATE TABLE backup (
        the_one boolean PRIMARY KEY DEFAULT true CHECK (the_one),
        owner text,
        blobs_kept_until bigint NOT NULL DEFAULT 0,
        last_success text,
        last_success_at bigint NOT NULL DEFAULT 0
      );
      INSERT INTO backup DEFAULT VALUES;
    `,
  },
  {
    id: 5,
    name: "room for new versions of rows",
    sql: "ALTER TABLE documents SET (fillfactor = 50)",
  },
];
