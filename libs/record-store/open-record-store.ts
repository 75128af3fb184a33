import { importPart } from "@headwater/errors";
import { openPostgresRecordStore } from "./postgres-record-store.ts";
import type { RecordStoreValues } from "./postgres-settings.ts";
import { readConnection } from "./postgres-settings.ts";
import type { RecordStore } from "./record-store.ts";

export interface OpenRecordStoreOptions {
  /** Of the embedded store; not used where there is a server. */
  readonly folder: string;
  readonly schema: string;
  /** Told of what went wrong with connections that nobody was waiting for; they are replaced. */
  readonly onError?: (thrown: unknown) => void;
}

/**
 * PostgreSQL where HEADWATER_POSTGRES_URL names one, else PGlite in a folder.
 *
 * @throws HeadwaterError UNAVAILABLE or FAILED_PRECONDITION where it cannot be opened
 */
export async function openRecordStore(
  values: RecordStoreValues,
  { folder, schema, onError }: OpenRecordStoreOptions,
): Promise<RecordStore> {
  const url = values.HEADWATER_POSTGRES_URL;
  if (url === undefined) {
    const { openPgliteRecordStore } = await importPart(
      "The embedded record store",
      () => import("./pglite-record-store.ts"),
      "Set HEADWATER_POSTGRES_URL.",
    );
    return await openPgliteRecordStore({ folder, schema });
  }
  return await openPostgresRecordStore({
    connection: readConnection(url, values),
    schema,
    poolSize: values.HEADWATER_POSTGRES_POOL,
    statementTimeoutMs: values.HEADWATER_POSTGRES_STATEMENT_TIMEOUT_MS,
    ...(onError ? { onError } : {}),
  });
}
