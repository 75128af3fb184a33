import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import { readSettings } from "@headwater/settings";

/** A database on a PostgreSQL server, for as long as a bench or a test needs it. */
export interface ScratchDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** @param server URL of any of its databases */
export async function makeDatabase(server: string, name: string): Promise<ScratchDatabase> {
  const administer = async (sql: string) => {
    const values = readSettings(recordStoreSettings, { HEADWATER_POSTGRES_URL: server });
    const store = await openRecordStore(values, { folder: "", schema: "public" });
    await store.query(sql).finally(() => store.close());
  };
  await administer(`CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`) };
}

/** One by one: Elasticsearch refuses to delete by a pattern. */
export async function removeIndexes(url: string, prefix: string): Promise<void> {
  const found = await fetch(`${url}/_cat/indices/${prefix}*?h=index&format=json`);
  for (const { index } of (await found.json()) as { index: string }[])
    await fetch(`${url}/${index}`, { method: "DELETE" });
}
