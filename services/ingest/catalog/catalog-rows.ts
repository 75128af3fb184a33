import type { DocumentKey } from "@headwater/passage-index";
import type { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import type { RecordValue } from "@headwater/record-store";
import type { DocumentRecord, DocumentStatus, ServedDocument } from "./document-record.ts";

/** A row of the table `documents`. */
export interface DocumentRow {
  readonly tenant: string;
  readonly id: string;
  readonly version: number;
  readonly state: DocumentState;
  readonly updated_at: number;
  readonly status: Omit<DocumentStatus, "tenant" | "documentId" | "version" | "state" | "updatedAt">;
  readonly settled_version: number;
  readonly served: ServedDocument | null;
}

export const documentColumns = "tenant, id, version, state, updated_at, status, settled_version, served";

export function recordOf(row: DocumentRow): DocumentRecord {
  return {
    status: {
      ...row.status,
      tenant: row.tenant,
      documentId: row.id,
      version: row.version,
      state: row.state,
      updatedAt: row.updated_at,
    },
    settledVersion: row.settled_version,
    served: row.served,
  };
}

/** Arrays for `unnest`, in the order of `rowsFromParameters`. */
export function parametersOf(records: readonly DocumentRecord[]): RecordValue[] {
  return [
    records.map(({ status }) => status.tenant),
    records.map(({ status }) => status.documentId),
    records.map(({ status }) => status.version),
    records.map(({ status }) => status.state),
    records.map(({ status }) => status.updatedAt),
    records.map(({ status }) => statusJson(status)),
    records.map(({ settledVersion }) => settledVersion),
    records.map(({ served }) => (served ? JSON.stringify(served) : null)),
  ];
}

/** Unix milliseconds by the clock of the database, which all processes share. */
export const nowMs = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** JSON goes as text: an array of jsonb is not a parameter that every driver can send. */
export const rowsFromParameters = `
  SELECT tenant, id, version, state, updated_at, status::jsonb, settled_version, served::jsonb
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::smallint[], $5::bigint[], $6::text[], $7::bigint[], $8::text[])
    AS row (tenant, id, version, state, updated_at, status, settled_version, served)`;

/**
 * Settled rows, with the generation that each was written into as $9. Left out are those of a generation that does not
 * serve, or while the generations are about to be switched.
 */
export const settledRowsFromParameters = `
  SELECT tenant, id, version, state, updated_at, status::jsonb, settled_version, served::jsonb
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::smallint[], $5::bigint[], $6::text[], $7::bigint[], $8::text[],
    $9::text[])
    AS row (tenant, id, version, state, updated_at, status, settled_version, served, generation)
  WHERE generation IS NULL
    OR EXISTS (SELECT FROM reindex WHERE serving = generation AND settles_from <= ${nowMs})`;

function statusJson(status: DocumentStatus): string {
  const { tenant: _t, documentId: _d, version: _v, state: _s, updatedAt: _u, ...rest } = status;
  return JSON.stringify(rest);
}

/** Of one document in maps of this process. Tenants hold no "/", so two documents never share it. */
export function keyOf({ tenant, documentId }: DocumentKey): string {
  return `${tenant}/${documentId}`;
}
