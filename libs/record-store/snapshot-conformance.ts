import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, describe, test } from "node:test";
import type { OpenRecordStore } from "./conformance.ts";
import type { Migration, RecordStore } from "./record-store.ts";
import type { RecordContent } from "./restore.ts";
import { filledTables, finishRestore, restoreRecords, unfinishedRestore } from "./restore.ts";
import { readSnapshot } from "./snapshot.ts";

const shelves: Migration = {
  id: 1,
  name: "shelves",
  sql: `
    CREATE SEQUENCE revisions;
    CREATE TABLE books (
      id uuid PRIMARY KEY,
      shelf text NOT NULL,
      revision bigint NOT NULL DEFAULT nextval('revisions'),
      weight double precision,
      body bytea,
      attributes jsonb,
      tags text[],
      at timestamptz,
      title_length integer GENERATED ALWAYS AS (length(shelf)) STORED
    );
    CREATE TABLE a_page (book uuid NOT NULL REFERENCES books ON DELETE CASCADE, text text NOT NULL);
    CREATE TABLE settings (the_one boolean PRIMARY KEY DEFAULT true, state text);
    INSERT INTO settings VALUES (true, 'new');`,
};
const titles: Migration = {
  id: 2,
  name: "titles",
  sql: "ALTER TABLE books ADD COLUMN title text NOT NULL DEFAULT 'none'",
};

/** What a snapshot and a restore promise on every adapter; registers tests of node:test. */
export function snapshotConformance(adapter: string, open: OpenRecordStore): void {
  describe(`${adapter}: snapshot and restore`, () => {
    const opened: RecordStore[] = [];
    const openNew = async (): Promise<RecordStore> => {
      const store = await open(`test_${randomUUID().replaceAll("-", "")}`);
      opened.push(store);
      return store;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });

    test("every value comes back as it was, and sequences go on where they were", async () => {
      const source = await openNew();
      await source.migrate([shelves]);
      await fillShelves(source);
      const content = await contentOf(source);
      const target = await openNew();
      assert.equal(await restoreRecords(target, [shelves], content), true);
      assert.deepEqual(await everything(target), await everything(source));
      assert.deepEqual(
        content.tables.map(({ name }) => name),
        ["books", "a_page", "settings"],
        "parents come first",
      );
      const [next] = await target.query<{ next: number }>("SELECT nextval('revisions') AS next");
      assert.equal(next?.next, 3);
    });

    test("a snapshot is of one moment, and read in bounded batches", async () => {
      const source = await openNew();
      await source.migrate([shelves]);
      await source.query(
        "INSERT INTO books (id, shelf) SELECT gen_random_uuid(), repeat('x', 20000) FROM generate_series(1, 400)",
      );
      const batches = await readSnapshot(source, async (snapshot) => {
        const sizes: number[] = [];
        for await (const lines of snapshot.lines({ name: "books", columns: ["shelf"] }))
          sizes.push(lines.reduce((sum, line) => sum + line.length, 0));
        return sizes;
      });
      assert(batches.length > 5, `${batches.length} batches`);
      assert(Math.max(...batches) < 2 * 1024 * 1024, `${Math.max(...batches)} bytes`);
    });

    test("an older snapshot is brought up to date, a newer one refused before anything is touched", async () => {
      const source = await openNew();
      await source.migrate([shelves]);
      await fillShelves(source);
      const older = await contentOf(source);
      await source.migrate([shelves, titles]);
      const newer = await contentOf(source);
      const target = await openNew();
      await target.migrate([shelves, titles]);
      await restoreRecords(target, [shelves, titles], older);
      assert.deepEqual(await target.query("SELECT DISTINCT title FROM books"), [{ title: "none" }]);
      await assert.rejects(restoreRecords(target, [shelves], newer), { reason: "HW_SCHEMA_MISMATCH" });
      assert.equal((await target.query("SELECT id FROM books")).length, 2);
    });

    test("what breaks off leaves no record, and the same restore again goes on", async () => {
      const source = await openNew();
      await source.migrate([shelves]);
      await fillShelves(source);
      const content = await contentOf(source);
      const target = await openNew();
      const broken = content.tables.map((table) => ({ ...table, lines: () => breaking(table.lines()) }));
      await assert.rejects(restoreRecords(target, [shelves], { ...content, tables: broken }), /cut off/);
      assert.deepEqual(await filledTables(target), ["settings"], "only what its migration leaves");
      assert.equal(await restoreRecords(target, [shelves], content), true);
      assert.equal(await unfinishedRestore(target), content.name);
      assert.equal(await restoreRecords(target, [shelves], content), false, "it was done");
      await finishRestore(target);
      assert.equal(await unfinishedRestore(target), undefined);
      assert.deepEqual(await everything(target), await everything(source));
    });
  });
}

async function fillShelves(store: RecordStore): Promise<void> {
  const id = randomUUID();
  await store.query(
    `INSERT INTO books (id, shelf, weight, body, attributes, tags, at) VALUES
       ($1, $2, $3, $4, $5::jsonb, $6, '2026-11-21 07:08:09.123456+02'), (gen_random_uuid(), '', NULL, NULL, 'null', NULL, NULL)`,
    [
      id,
      "Ünïcode 🚀 'quoted' \"double\" \\ \n\t\u0001",
      0.1 + 0.2,
      Uint8Array.from({ length: 256 }, (_, at) => at),
      JSON.stringify({ large: 1, text: "\u2028" }),
      ["a", 'b "c"', "d,e", "{f}", "NULL", ""],
    ],
  );
  await store.query("INSERT INTO a_page VALUES ($1, 'one'), ($1, 'two')", [id]);
  await store.query("UPDATE settings SET state = 'used'");
}

/** As a backup carries it. */
async function contentOf(store: RecordStore): Promise<RecordContent> {
  return await readSnapshot(store, async (snapshot) => ({
    name: randomUUID(),
    migrations: snapshot.migrations,
    sequences: snapshot.sequences,
    tables: await Promise.all(
      snapshot.tables.map(async (table) => {
        const batches = await Array.fromAsync(snapshot.lines(table));
        return {
          ...table,
          async *lines() {
            yield* batches;
          },
        };
      }),
    ),
  }));
}

/** As text, in which nothing is lost to the driver. */
async function everything(store: RecordStore): Promise<unknown[]> {
  return await Promise.all(
    ["books", "a_page", "settings"].map((table) =>
      store.query(`SELECT t::text AS row FROM ${table} AS t ORDER BY t::text`),
    ),
  );
}

async function* breaking(lines: AsyncIterable<readonly string[]>): AsyncGenerator<readonly string[]> {
  yield* lines;
  throw new Error("cut off");
}
