import type { DocumentKey } from "@headwater/passage-index";
import type { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
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

/**
 * A row as one value: JSON is parsed natively, while the drivers read each column of each row in JavaScript. Half the
 * time for all of them.
 */
export const documentRow = "to_json(documents) AS document";

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

/** What is written of a document. */
export interface NewDocumentRow extends Omit<DocumentRecord, "served"> {
  /** Absent: as it is. */
  readonly served?: ServedDocument | null;
  /** The generation of the indexes that it was written into; absent where it changes nothing in them. */
  readonly generation?: string;
}

/** The parameter of `newRows` and `settledRows`. One text: writing an array for each column takes longer. */
export function parameterOf(rows: readonly NewDocumentRow[]): string {
  return JSON.stringify(
    rows.map(({ status, settledVersion, served, generation }) => {
      const { tenant, documentId: id, version, state, updatedAt: updated_at, ...rest } = status;
      return {
        ...{ tenant, id, version, state, updated_at, settled_version: settledVersion },
        ...{ status: rest, served, serves_on: served === undefined, generation },
      };
    }),
  );
}

/** Unix milliseconds by the clock of the database, which all processes share. */
export const nowMs = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** As text first: a driver that knows the parameter for JSON would encode it once more. */
const given = `json_to_recordset($1::text::json) AS given (tenant text, id text, version bigint, state smallint,
  updated_at bigint, status jsonb, settled_version bigint, served jsonb, serves_on boolean, generation text)`;

/** Rows of documents of which nothing is known that is served. */
export const newRows = `SELECT tenant, id, version, state, updated_at, status, settled_version, served FROM ${given}`;

/**
 * Settled rows. Left out are those of a generation that does not serve, or while the generations are about to be
 * switched.
 */
export const settledRows = `
  SELECT given.tenant, given.id, given.version, given.state, given.updated_at, given.status, given.settled_version,
    CASE WHEN serves_on THEN known.served ELSE given.served END
  FROM ${given}
  LEFT JOIN documents AS known ON serves_on AND known.tenant = given.tenant AND known.id = given.id
  WHERE generation IS NULL
    OR EXISTS (SELECT FROM reindex WHERE serving = generation AND settles_from <= ${nowMs})`;

/** Of one document in maps of this process. Tenants hold no "/", so two documents never share it. */
export function keyOf({ tenant, documentId }: DocumentKey): string {
  return `${tenant}/${documentId}`;
}
