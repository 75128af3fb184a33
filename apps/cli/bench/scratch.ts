import { HeadwaterError, status } from "@headwater/errors";
import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import type { Environment } from "@headwater/settings";
import { readSettings } from "@headwater/settings";

/** A database on a PostgreSQL server, for as long as a bench or a test needs it. */
export interface ScratchDatabase {
  readonly url: string;
  /** That it takes on the disk. */
  bytes(): Promise<number>;
  drop(): Promise<void>;
}

/** @param server URL of any of its databases */
export async function makeDatabase(server: string, name: string): Promise<ScratchDatabase> {
  const administer = async <Row extends object>(sql: string) => {
    const values = readSettings(recordStoreSettings, { HEADWATER_POSTGRES_URL: server });
    const store = await openRecordStore(values, { folder: "", schema: "public" });
    return await store.query<Row>(sql).finally(() => store.close());
  };
  await administer(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    async bytes() {
      const rows = await administer<{ bytes: number }>(`SELECT pg_database_size('${name}')::float8 AS bytes`);
      return rows[0]?.bytes ?? Number.NaN;
    },
    async drop() {
      await administer(`DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** One by one: Elasticsearch refuses to delete by a pattern. */
export async function removeIndexes(url: string, prefix: string): Promise<void> {
  const found = await fetch(`${url}/_cat/indices/${prefix}*?h=index&format=json`);
  for (const { index } of (await found.json()) as { index: string }[])
    await fetch(`${url}/${index}`, { method: "DELETE" });
}

export async function removeCollections(url: string, prefix: string): Promise<void> {
  const found = await fetch(`${url}/collections`);
  const { result } = (await found.json()) as { result: { collections: { name: string }[] } };
  for (const { name } of result.collections)
    if (name.startsWith(prefix)) await fetch(`${url}/collections/${name}`, { method: "DELETE" });
}

/**
 * Where the servers are that a bench runs on.
 *
 * @param needed settings, and the variable that the suites on real servers read for each
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID where the environment does not name them all
 */
export function findServers<Setting extends string>(
  environment: Environment,
  needed: Readonly<Record<Setting, string>>,
): Record<Setting, string> {
  const found = Object.entries<string>(needed).map(
    ([setting, variable]) => [setting, environment[setting] || environment[variable] || ""] as const,
  );
  const missing = found.filter(([, address]) => address === "").map(([setting]) => setting as Setting);
  if (missing.length > 0) {
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_SETTINGS_INVALID",
      message: `This bench runs on real servers, and some are not named: ${missing.join(", ")}.`,
      action: `Set them, or ${missing.map((setting) => needed[setting]).join(", ")}, to the servers' addresses.`,
    });
  }
  return Object.fromEntries(found) as Record<Setting, string>;
}
