import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { afterEach, describe, test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { until } from "@headwater/testing";
import type { Migration, RecordStore } from "./record-store.ts";
import { maxPayloadBytes } from "./record-store.ts";

/** Opens the store of a schema. The same schema again, after the first was closed, is a restart. */
export type OpenRecordStore = (schema: string) => Promise<RecordStore>;

const documents: Migration = {
  id: 1,
  name: "documents",
  sql: `
    CREATE TABLE documents (
      id text PRIMARY KEY,
      version bigint NOT NULL DEFAULT 0,
      size integer,
      score double precision,
      ready boolean,
      at timestamptz,
      body bytea,
      attributes jsonb,
      tags text[]
    );
    CREATE INDEX documents_by_version ON documents (version);
  `,
};
const titles: Migration = { id: 2, name: "titles", sql: "ALTER TABLE documents ADD COLUMN title text" };

/** What every adapter of the record store promises; registers tests of node:test. */
export function recordStoreConformance(adapter: string, open: OpenRecordStore): void {
  describe(`${adapter}: record store`, () => {
    const opened: RecordStore[] = [];
    const openNamed = async (schema: string): Promise<RecordStore> => {
      const store = await open(schema);
      opened.push(store);
      return store;
    };
    const newSchema = () => `test_${randomUUID().replaceAll("-", "")}`;
    const openWithTable = async (): Promise<RecordStore> => {
      const store = await openNamed(newSchema());
      await store.migrate([documents]);
      return store;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });

    test("values of every type come back as they were", async () => {
      const store = await openWithTable();
      const at = new Date("2026-11-21T07:08:09.123Z");
      const body = Uint8Array.from({ length: 256 }, (_, i) => i);
      await store.query("INSERT INTO documents VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)", [
        "Ünïcode 🚀 'quoted' \\ \n",
        Number.MAX_SAFE_INTEGER,
        -7,
        0.1,
        true,
        at,
        body,
        JSON.stringify({ language: "de", pages: [1, 2] }),
        ["a", 'b "c"', "d,e", "{f}", "NULL", ""],
      ]);
      const [row] = await store.query<Record<string, unknown>>("SELECT * FROM documents");
      assert.ok(row);
      assert.deepEqual(
        { ...row, body: Buffer.from(row["body"] as Uint8Array).toString("hex") },
        {
          id: "Ünïcode 🚀 'quoted' \\ \n",
          version: Number.MAX_SAFE_INTEGER,
          size: -7,
          score: 0.1,
          ready: true,
          at,
          body: Buffer.from(body).toString("hex"),
          attributes: { language: "de", pages: [1, 2] },
          tags: ["a", 'b "c"', "d,e", "{f}", "NULL", ""],
        },
      );
    });

    test("null is null in every type", async () => {
      const store = await openWithTable();
      await store.query("INSERT INTO documents VALUES ($1, 0, $2, $3, $4, $5, $6, $7, $8)", [
        "a",
        ...new Array<null>(7).fill(null),
      ]);
      const [row] = await store.query<Record<string, unknown>>(
        "SELECT size, score, ready, at, body, attributes, tags FROM documents",
      );
      assert.deepEqual(Object.values(row ?? {}), new Array(7).fill(null));
    });

    test("bigint comes as a number: columns, counts, sums of integers", async () => {
      const store = await openWithTable();
      await store.query("INSERT INTO documents (id, version, size) VALUES ('a', 5, 2), ('b', 6, 3)");
      assert.deepEqual(
        await store.query("SELECT count(*) AS count, max(version) AS max, sum(size) AS sum FROM documents"),
        [{ count: 2, max: 6, sum: 5 }],
      );
    });

    test("times without a zone are UTC, and exact numbers and intervals are text", async () => {
      const store = await openWithTable();
      const at = new Date("2026-07-08T09:10:11.123Z");
      const [row] = await store.query(
        `SELECT $1::timestamp AS at, $1::timestamp::date AS day, ARRAY[$1::timestamp] AS times, 0.10::numeric AS exact,
           ARRAY[1, NULL, 3]::bigint[] AS numbers, ARRAY[0.10] AS exacts, '1 day 02:00'::interval AS long,
           $2::timestamptz[] AS given`,
        [at, [at, null]],
      );
      assert.deepEqual(row, {
        at,
        day: new Date("2026-07-08T00:00:00Z"),
        times: [at],
        exact: "0.10",
        numbers: [1, null, 3],
        exacts: ["0.10"],
        long: "1 day 02:00:00",
        given: [at, null],
      });
    });

    test("arrays carry many rows in one statement", async () => {
      const store = await openWithTable();
      const count = 2_000;
      const at = new Date("2026-01-02T03:04:05.006Z");
      await store.query(
        `INSERT INTO documents (id, version, score, ready, at)
         SELECT * FROM unnest($1::text[], $2::bigint[], $3::double precision[], $4::boolean[], $5::timestamptz[])`,
        [
          Array.from({ length: count }, (_, i) => `doc-${i}`),
          Array.from({ length: count }, (_, i) => i),
          Array.from({ length: count }, (_, i) => (i % 2 ? i / 8 : null)),
          Array.from({ length: count }, (_, i) => i % 2 === 0),
          Array.from({ length: count }, (_, i) => (i % 2 ? at : null)),
        ],
      );
      const rows = await store.query<{ id: string }>(
        "SELECT id, version, score, ready, at FROM documents WHERE id = ANY($1::text[]) ORDER BY version",
        [["doc-6", "doc-7", "nobody"]],
      );
      assert.deepEqual(rows, [
        { id: "doc-6", version: 6, score: null, ready: true, at: null },
        { id: "doc-7", version: 7, score: 0.875, ready: false, at },
      ]);
      assert.deepEqual(await store.query("SELECT id FROM documents WHERE id = ANY($1::text[])", [[]]), []);
    });

    test("a statement that changes rows gives back what it is asked to", async () => {
      const store = await openWithTable();
      assert.deepEqual(await store.query("INSERT INTO documents (id) VALUES ('a'), ('b')"), []);
      const sql = `INSERT INTO documents (id, version) VALUES ($1, $2)
        ON CONFLICT (id) DO UPDATE SET version = greatest(documents.version, excluded.version) RETURNING version`;
      assert.deepEqual(await store.query(sql, ["a", 9]), [{ version: 9 }]);
      assert.deepEqual(await store.query(sql, ["a", 3]), [{ version: 9 }]);
      assert.deepEqual(await store.query("DELETE FROM documents RETURNING id"), [{ id: "b" }, { id: "a" }]);
    });

    test("a transaction is all or nothing", async () => {
      const store = await openWithTable();
      const result = await store.transaction(async (queries) => {
        await queries.query("INSERT INTO documents (id) VALUES ('kept')");
        return (await queries.query<{ id: string }>("SELECT id FROM documents")).length;
      });
      assert.equal(result, 1);
      const mistake = new Error("a mistake of the caller's own");
      const failing = store.transaction(async (queries) => {
        await queries.query("INSERT INTO documents (id) VALUES ('lost')");
        throw mistake;
      });
      await assert.rejects(failing, (thrown) => thrown === mistake);
      assert.deepEqual(await store.query("SELECT id FROM documents"), [{ id: "kept" }]);
    });

    test("a transaction with a statement that failed is rolled back, even if the work goes on", async () => {
      const store = await openWithTable();
      const failing = store.transaction(async (queries) => {
        await queries.query("INSERT INTO documents (id) VALUES ('lost')");
        await assert.rejects(queries.query("INSERT INTO documents (id) VALUES (NULL)"));
      });
      await assert.rejects(failing, HeadwaterError);
      assert.deepEqual(await store.query("SELECT id FROM documents"), []);
    });

    test("statements of one transaction run in the order in which they were asked for", async () => {
      const store = await openWithTable();
      const ids = Array.from({ length: 20 }, (_, i) => `doc-${String(i).padStart(2, "0")}`);
      const counts = await store.transaction(
        async (queries) =>
          await Promise.all(
            ids.map((id) =>
              queries.query<{ count: number }>(
                "WITH added AS (INSERT INTO documents (id) VALUES ($1)) SELECT count(*) FROM documents",
                [id],
              ),
            ),
          ),
      );
      assert.deepEqual(
        counts.map(([row]) => row?.count),
        ids.map((_, i) => i),
      );
    });

    test("using the store inside its own transaction is an error, and not a deadlock", async () => {
      const store = await openWithTable();
      await assert.rejects(
        store.transaction(() => store.query("SELECT 1")),
        { reason: "HW_RECORDS_NESTED" },
      );
      let later: Promise<unknown> | undefined;
      const ended = Promise.withResolvers<void>();
      await store.transaction(async () => {
        later = ended.promise.then(() => store.query("SELECT 1"));
      });
      ended.resolve();
      await later;
    });

    test("transactions at the same time do not lose each other's changes", async () => {
      const store = await openWithTable();
      await store.query("INSERT INTO documents (id) VALUES ('counter')");
      const raise = () =>
        store.transaction(async (queries) => {
          const [row] = await queries.query<{ version: number }>(
            "SELECT version FROM documents WHERE id = 'counter' FOR UPDATE",
          );
          await queries.query("UPDATE documents SET version = $1 WHERE id = 'counter'", [
            (row?.version ?? 0) + 1,
          ]);
        });
      await Promise.all(Array.from({ length: 20 }, raise));
      assert.deepEqual(await store.query("SELECT version FROM documents"), [{ version: 20 }]);
    });

    test("others do not see a transaction before it ends", async () => {
      const store = await openWithTable();
      const inserted = Promise.withResolvers<void>();
      const transaction = store.transaction(async (queries) => {
        await queries.query("INSERT INTO documents (id) VALUES ('a')");
        inserted.resolve();
        // Gives the reader below every chance to see what it must not.
        await new Promise((resolve) => setTimeout(resolve, 20));
        await queries.query("DELETE FROM documents");
      });
      await inserted.promise;
      assert.deepEqual(await store.query("SELECT id FROM documents"), []);
      await transaction;
    });

    test("listeners hear what is told, in order, on their channel and schema only", async () => {
      const store = await openNamed(newSchema());
      const heard: string[] = [];
      const other: string[] = [];
      const take = (payloads: string[]) => ({
        onPayload: (payload: string) => payloads.push(payload),
        onGap: () => assert.fail("a gap without a loss"),
      });
      const stop = await store.listen("changes", take(heard));
      await store.listen("others", take(other));
      const payloads = ["first", "Ünïcode 🚀 'quoted'", "x".repeat(maxPayloadBytes), "last"];
      await store.notify("changes", []);
      await store.notify("changes", payloads);
      await until("all are heard", () => heard.length === payloads.length);
      assert.deepEqual(heard, payloads);
      await stop();
      await store.notify("changes", ["unheard"]);
      await store.notify("others", ["end"]);
      await until("the other is heard", () => other.length > 0);
      assert.deepEqual([heard.length, other], [payloads.length, ["end"]]);
      await assert.rejects(store.notify("Not a channel", ["x"]), { reason: "HW_CHANNEL_INVALID" });
    });

    test("migrations run once, in order, also again and from several at once", async () => {
      const store = await openNamed(newSchema());
      await Promise.all([store.migrate([documents]), store.migrate([documents])]);
      await Promise.all([store.migrate([documents, titles]), store.migrate([documents, titles])]);
      await store.migrate([documents, titles]);
      await store.query("INSERT INTO documents (id, title) VALUES ('a', 'A')");
    });

    test("a migration that fails changes nothing, and those before it in the same run neither", async () => {
      const store = await openNamed(newSchema());
      const broken: Migration = { id: 2, name: "broken", sql: "CREATE TABLE half (id text); SELECT 1 / 0" };
      await assert.rejects(store.migrate([documents, broken]), HeadwaterError);
      await assert.rejects(store.query("SELECT * FROM half"));
      await assert.rejects(store.query("SELECT * FROM documents"));
      await store.migrate([documents, titles]);
    });

    test("a history that does not fit is refused", async () => {
      const store = await openNamed(newSchema());
      await store.migrate([documents, titles]);
      await assert.rejects(store.migrate([documents]), { reason: "HW_SCHEMA_MISMATCH" });
      await assert.rejects(store.migrate([documents, { ...titles, name: "other" }]), {
        reason: "HW_SCHEMA_MISMATCH",
      });
      await assert.rejects(store.migrate([titles]), { reason: "HW_SCHEMA_MISMATCH" });
    });

    test("schemas do not see each other, and records survive a restart", async () => {
      const [one, other] = [newSchema(), newSchema()];
      const first = await openNamed(one);
      await first.migrate([documents]);
      await first.query("INSERT INTO documents (id) VALUES ('mine')");
      await first.close();
      const second = await openNamed(other);
      await second.migrate([documents]);
      assert.deepEqual(await second.query("SELECT id FROM documents"), []);
      await second.close();
      const again = await openNamed(one);
      await again.migrate([documents]);
      assert.deepEqual(await again.query("SELECT id FROM documents"), [{ id: "mine" }]);
    });

    test("errors have a code and a reason, and hold no value of a record", async () => {
      const store = await openWithTable();
      const secret = "geheim-4711";
      await store.query("INSERT INTO documents (id) VALUES ($1)", [secret]);
      const failures: readonly [string, () => Promise<unknown>, number, string][] = [
        [
          "duplicate",
          () => store.query("INSERT INTO documents (id) VALUES ($1)", [secret]),
          status.ALREADY_EXISTS,
          "HW_RECORD_EXISTS",
        ],
        [
          "not a number",
          () => store.query("SELECT $1::text::integer", [secret]),
          status.INVALID_ARGUMENT,
          "HW_RECORD_VALUE_INVALID",
        ],
        [
          "missing value",
          () => store.query("INSERT INTO documents (id, title_of) VALUES (NULL, $1)", [secret]),
          status.INTERNAL,
          "HW_RECORDS_FAILED",
        ],
        [
          "broken rule",
          () => store.query("INSERT INTO documents (id, tags) VALUES (NULL, ARRAY[$1::text])", [secret]),
          status.FAILED_PRECONDITION,
          "HW_RECORD_CONSTRAINT",
        ],
      ];
      for (const [what, failing, code, reason] of failures) {
        await assert.rejects(failing(), (thrown) => {
          assert.ok(thrown instanceof HeadwaterError, what);
          assert.deepEqual({ code: thrown.code, reason: thrown.reason }, { code, reason }, what);
          assert.ok(!everythingIn(thrown).includes(secret), `${what}: shows the value`);
          return true;
        });
      }
    });

    test("an open store is healthy, a closed one is not", async () => {
      const store = await openWithTable();
      await store.checkHealth();
      await store.close();
      await assert.rejects(store.checkHealth());
      await assert.rejects(store.query("SELECT 1"));
    });
  });
}

/** All that a log could write of an error. */
function everythingIn(error: Error): string {
  const own = Object.getOwnPropertyNames(error).map((name) => String(Reflect.get(error, name)));
  return [...own, error.cause instanceof Error ? everythingIn(error.cause) : ""].join("\n");
}
