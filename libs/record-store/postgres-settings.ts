import { flag, integer, readPemFile, readSecret, text } from "@headwater/settings";
import type { PoolConfig } from "pg";

/** A service spreads these into its settings. */
export const recordStoreSettings = {
  HEADWATER_POSTGRES_URL: text()
    .refine((url) => connectionOf(url) !== undefined, "not of the form postgres://user@host:5432/database")
    .optional()
    .describe(
      "postgres://user@host:5432/database for the records, without a query; unset: PostgreSQL in the process (PGlite), under HEADWATER_DATA_DIR",
    ),
  HEADWATER_POSTGRES_PASSWORD: text().optional().describe("Password of the user of HEADWATER_POSTGRES_URL"),
  HEADWATER_POSTGRES_PASSWORD_FILE: text()
    .optional()
    .describe("File with that password, read anew for each connection, so that it may change meanwhile"),
  HEADWATER_POSTGRES_POOL: integer(1, 1000)
    .default(10)
    .describe(
      "Connections of one process at most, besides one that listens; all processes together must stay below max_connections of the server",
    ),
  HEADWATER_POSTGRES_STATEMENT_TIMEOUT_MS: integer(100, 3_600_000)
    .default(30_000)
    .describe("Longest time in milliseconds of one statement; beyond it the server breaks it off"),
  HEADWATER_POSTGRES_TLS: flag()
    .default(false)
    .describe(
      "Speak TLS with PostgreSQL; its certificate must name its host and be signed by a known authority",
    ),
  HEADWATER_POSTGRES_CA_FILE: text()
    .optional()
    .describe(
      "File with the authority (PEM) that signed the certificate of PostgreSQL; unset: those that Node knows",
    ),
};

/** The values of these settings, as `readSettings` gives them. */
export interface RecordStoreValues {
  readonly HEADWATER_POSTGRES_URL?: string | undefined;
  readonly HEADWATER_POSTGRES_PASSWORD?: string | undefined;
  readonly HEADWATER_POSTGRES_PASSWORD_FILE?: string | undefined;
  readonly HEADWATER_POSTGRES_POOL: number;
  readonly HEADWATER_POSTGRES_STATEMENT_TIMEOUT_MS: number;
  readonly HEADWATER_POSTGRES_TLS: boolean;
  readonly HEADWATER_POSTGRES_CA_FILE?: string | undefined;
}

/** How a server is reached, in the terms of pg. */
export type Connection = Pick<PoolConfig, "host" | "port" | "user" | "database" | "password" | "ssl">;

/** @throws HeadwaterError FAILED_PRECONDITION where the file of the password or of the authority cannot be read */
export function readConnection(url: string, values: RecordStoreValues): Connection {
  const connection = connectionOf(url);
  if (!connection) throw new TypeError("the settings were not checked");
  // Read now to tell of a mistake, and again for each connection, as the file may change.
  const password = () => readSecret(values, "HEADWATER_POSTGRES_PASSWORD");
  const ca = readPemFile(values, "HEADWATER_POSTGRES_CA_FILE");
  return {
    ...connection,
    ...(password() === undefined ? {} : { password: () => password() ?? "" }),
    ssl: values.HEADWATER_POSTGRES_TLS && { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
  };
}

/** @returns undefined for what is no address of PostgreSQL; also where it has a query, which would not be heeded */
function connectionOf(url: string): Connection | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search } = new URL(url);
  const database = decodeURIComponent(pathname.slice(1));
  if (!/^postgres(ql)?:$/.test(protocol) || hostname === "" || database === "" || search !== "")
    return undefined;
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? 5432 : Number(port),
    database,
    ...(username === "" ? {} : { user: decodeURIComponent(username) }),
    ...(password === "" ? {} : { password: decodeURIComponent(password) }),
  };
}
