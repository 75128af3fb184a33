import { randomUUID } from "node:crypto";
import { after } from "node:test";
import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import { readSettings } from "@headwater/settings";

/**
 * For tests: databases of their own on a PostgreSQL server, since a service chooses its schema itself. Dropped after
 * the tests of the file.
 *
 * @returns makes one, and gives the settings that name it
 */
export function ownDatabases(server: string): () => Promise<Record<string, string>> {
  const made: string[] = [];
  const run = async (sql: string) => {
    const values = readSettings(recordStoreSettings, { HEADWATER_POSTGRES_URL: server });
    const store = await openRecordStore(values, { folder: "/nowhere", schema: "public" });
    await store.query(sql).finally(() => store.close());
  };
  after(async () => {
    for (const name of made) await run(`DROP DATABASE ${name} WITH (FORCE)`);
  });
  return async () => {
    const name = `test_${randomUUID().replaceAll("-", "")}`;
    await run(`CREATE DATABASE ${name}`);
    made.push(name);
    const url = new URL(server);
    url.pathname = `/${name}`;
    return { HEADWATER_POSTGRES_URL: url.href };
  };
}
