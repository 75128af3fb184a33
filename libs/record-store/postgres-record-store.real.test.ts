import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, afterEach, describe, test } from "node:test";
import { status } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import { realServer, startFlakyServer, until } from "@headwater/testing";
import { tlsSuite } from "@headwater/testing/tls-suite";
import { recordStoreConformance } from "./conformance.ts";
import type { RecordStore } from "./index.ts";
import { openRecordStore, recordStoreSettings } from "./index.ts";
import { snapshotConformance } from "./snapshot-conformance.ts";

const url = realServer("POSTGRES_URL");
if (url !== undefined) suite(url);

function suite(server: string): void {
  const schemas = new Set<string>();
  const opened: RecordStore[] = [];
  const open = async (schema: string, settings: Record<string, string> = {}, address = server) => {
    schemas.add(schema);
    const values = readSettings(recordStoreSettings, { HEADWATER_POSTGRES_URL: address, ...settings });
    const store = await openRecordStore(values, { folder: "/nowhere", schema });
    opened.push(store);
    return store;
  };
  const newSchema = () => `test_${randomUUID().replaceAll("-", "")}`;
  const addressBy = (port: number) => {
    const address = new URL(server);
    address.hostname = "127.0.0.1";
    address.port = String(port);
    return address.href;
  };
  const openFlaky = async (settings: Record<string, string> = {}) => {
    const { hostname, port } = new URL(server);
    const way = await startFlakyServer(`${hostname}:${port || 5432}`);
    ways.push(way);
    const store = await open(newSchema(), settings, addressBy(way.port));
    return { way, store };
  };
  const ways: { close(): Promise<void> }[] = [];
  const unavailable = { code: status.UNAVAILABLE, reason: "HW_POSTGRES_UNAVAILABLE" };

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await Promise.all(ways.splice(0).map((way) => way.close()));
  });
  after(async () => {
    const store = await open(newSchema());
    for (const schema of schemas) await store.query(`DROP SCHEMA IF EXISTS "${schema}" CASCADE`);
    await store.close();
  });

  recordStoreConformance("PostgreSQL", open);
  recordStoreConformance("PostgreSQL, one connection", (schema) =>
    open(schema, { HEADWATER_POSTGRES_POOL: "1" }),
  );
  snapshotConformance("PostgreSQL, one connection", (schema) =>
    open(schema, { HEADWATER_POSTGRES_POOL: "1" }),
  );

  describe("PostgreSQL: shared by processes", () => {
    test("several open and migrate the same schema at once", async () => {
      const schema = newSchema();
      const sql = "CREATE TABLE counters (name text PRIMARY KEY, value bigint NOT NULL)";
      const stores = await Promise.all(Array.from({ length: 8 }, () => open(schema)));
      await Promise.all(stores.map((store) => store.migrate([{ id: 1, name: "counters", sql }])));
      await stores[0]?.query("INSERT INTO counters VALUES ('a', 0)");
      const raise = (store: RecordStore) =>
        store.query("UPDATE counters SET value = value + 1 WHERE name = 'a' RETURNING value");
      await Promise.all(stores.map(raise));
      assert.deepEqual(await stores[7]?.query("SELECT value FROM counters"), [{ value: 8 }]);
    });

    test("a migration waits for another's as long as it takes", async () => {
      const schema = newSchema();
      const settings = { HEADWATER_POSTGRES_STATEMENT_TIMEOUT_MS: "100" };
      const [slow, waiting] = await Promise.all([open(schema, settings), open(schema, settings)]);
      const migrations = [{ id: 1, name: "slow", sql: "SELECT pg_sleep(0.5); CREATE TABLE t (id integer)" }];
      await Promise.all([slow.migrate(migrations), waiting.migrate(migrations)]);
      assert.deepEqual(await waiting.query("SELECT * FROM t"), []);
    });

    test("what one tells the other hears", async () => {
      const schema = newSchema();
      const [one, other] = await Promise.all([open(schema), open(schema)]);
      const heard: string[] = [];
      await other.listen("changes", {
        onPayload: (payload) => heard.push(payload),
        onGap: () => assert.fail(),
      });
      await one.notify("changes", ["a", "b"]);
      await until("both are heard", () => heard.length === 2);
      assert.deepEqual(heard, ["a", "b"]);
    });

    test("of two transactions in each other's way both succeed, one when it is run again", async () => {
      const store = await open(newSchema());
      await store.migrate([
        { id: 1, name: "t", sql: "CREATE TABLE t (id integer PRIMARY KEY, value integer)" },
      ]);
      await store.query("INSERT INTO t VALUES (1, 0), (2, 0)");
      let runs = 0;
      const bothHoldOne = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const raiseBoth = (first: number, second: number, place: 0 | 1) =>
        store.transaction(async (queries) => {
          runs += 1;
          await queries.query("UPDATE t SET value = value + 1 WHERE id = $1", [first]);
          bothHoldOne[place]?.resolve();
          await bothHoldOne[1 - place]?.promise;
          await queries.query("UPDATE t SET value = value + 1 WHERE id = $1", [second]);
        });
      await Promise.all([raiseBoth(1, 2, 0), raiseBoth(2, 1, 1)]);
      // The one that gave way may come first again, and meet the other a second time.
      assert.ok(runs >= 3, `${runs} runs`);
      assert.deepEqual(await store.query("SELECT value FROM t"), [{ value: 2 }, { value: 2 }]);
    });
  });

  tlsSuite("PostgreSQL", {
    address: new URL(server).host,
    begins: "postgres",
    reason: "HW_POSTGRES_TLS_FAILED",
    async use({ port, caFile }) {
      const settings = { HEADWATER_POSTGRES_TLS: "true", HEADWATER_POSTGRES_CA_FILE: caFile };
      const store = await open(newSchema(), settings, addressBy(port));
      assert.deepEqual(await store.query("SELECT 1 AS one"), [{ one: 1 }]);
      const heard = Promise.withResolvers<string>();
      await store.listen("changes", { onPayload: heard.resolve, onGap: () => assert.fail() });
      await store.notify("changes", ["said"]);
      assert.equal(await heard.promise, "said");
    },
  });

  describe("PostgreSQL: faults", () => {
    test("a server that is not there is unavailable when the store is opened", async () => {
      const { way } = await openFlaky();
      await way.cut();
      await assert.rejects(open(newSchema(), {}, addressBy(way.port)), unavailable);
    });

    test("a server that goes is unavailable at once, and used again when it is back", async () => {
      const { way, store } = await openFlaky();
      await way.cut();
      await assert.rejects(store.query("SELECT 1"), unavailable);
      await assert.rejects(store.checkHealth(), unavailable);
      await assert.rejects(
        store.transaction((queries) => queries.query("SELECT 1")),
        unavailable,
      );
      const began = performance.now();
      for (let i = 0; i < 100; i += 1) await assert.rejects(store.query("SELECT 1"), unavailable);
      assert.ok(performance.now() - began < 10_000, "each call waits for a server that is known to be gone");
      await way.restore();
      await until("it is used again", () =>
        store.checkHealth().then(
          () => true,
          () => false,
        ),
      );
    });

    test("a connection that is lost in a statement or between two ends the transaction with an error", async () => {
      const { way, store } = await openFlaky({ HEADWATER_POSTGRES_POOL: "2" });
      await store.query("CREATE TABLE t (id integer)");
      const sleeping = store.query("SELECT pg_sleep(60)");
      const lost = store.transaction(async (queries) => {
        await queries.query("INSERT INTO t VALUES (1)");
        way.shake();
        await assert.rejects(sleeping, unavailable);
        await queries.query("INSERT INTO t VALUES (2)");
      });
      await assert.rejects(lost, unavailable);
      const lostAtCommit = store.transaction(async (queries) => {
        await queries.query("INSERT INTO t VALUES (1)");
        way.shake();
      });
      await assert.rejects(lostAtCommit, { ...unavailable, message: /may or may not have taken effect/ });
      assert.deepEqual(await store.query("SELECT * FROM t"), []);
    });

    test("a connection that the administrator ends is replaced", async () => {
      const schema = newSchema();
      const store = await open(schema);
      const killed = store.transaction(async (queries) => {
        const [row] = await queries.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        const killer = await open(schema);
        await killer.query("SELECT pg_terminate_backend($1)", [row?.pid ?? 0]);
        await queries.query("SELECT pg_sleep(60)");
      });
      await assert.rejects(killed, unavailable);
      await store.checkHealth();
    });

    test("a server without room for a connection is unavailable", async () => {
      const store = await open(newSchema());
      const role = `few_${randomUUID().replaceAll("-", "")}`;
      await store.query(`CREATE ROLE ${role} LOGIN CONNECTION LIMIT 0`);
      const address = new URL(server);
      address.username = role;
      try {
        await assert.rejects(open(newSchema(), {}, address.href), unavailable);
      } finally {
        await store.query(`DROP ROLE ${role}`);
      }
    });

    test("a statement that takes too long is broken off, and the connection goes on", async () => {
      const store = await open(newSchema(), {
        HEADWATER_POSTGRES_STATEMENT_TIMEOUT_MS: "100",
        HEADWATER_POSTGRES_POOL: "1",
      });
      await assert.rejects(store.query("SELECT pg_sleep(60)"), {
        code: status.UNAVAILABLE,
        reason: "HW_POSTGRES_TOO_SLOW",
      });
      await store.checkHealth();
    });

    test("a server that says nothing is given up", async () => {
      const { way, store } = await openFlaky({ HEADWATER_POSTGRES_STATEMENT_TIMEOUT_MS: "100" });
      await store.checkHealth();
      way.freeze();
      await assert.rejects(store.query("SELECT 1"), { code: status.UNAVAILABLE });
      await way.restore();
      await until("it is used again", () =>
        store.checkHealth().then(
          () => true,
          () => false,
        ),
      );
    });

    test("a wrong password and TLS where there is none are told, and not tried on and on", async () => {
      await assert.rejects(open(newSchema(), { HEADWATER_POSTGRES_TLS: "true" }), {
        code: status.FAILED_PRECONDITION,
        reason: "HW_POSTGRES_TLS_FAILED",
      });
      const nowhere = new URL(server);
      nowhere.pathname = "/no_such_database";
      await assert.rejects(open(newSchema(), {}, nowhere.href), { code: status.FAILED_PRECONDITION });
    });

    test("a listener hears again after a loss, and is told since when it may have missed something", async () => {
      const { way, store } = await openFlaky();
      const heard: string[] = [];
      const gaps: number[] = [];
      const began = Date.now();
      await store.listen("changes", {
        onPayload: (payload) => heard.push(payload),
        onGap: (since) => gaps.push(since),
      });
      await store.notify("changes", ["before"]);
      await until("heard", () => heard.length === 1);
      way.shake();
      await until("the gap is told", () => gaps.length === 1);
      assert.ok((gaps[0] ?? 0) >= began && (gaps[0] ?? 0) <= Date.now());
      await until("the pool has noticed too", () =>
        store.notify("changes", ["after"]).then(
          () => true,
          () => false,
        ),
      );
      await until("heard again", () => heard.includes("after"));
    });
  });
}
