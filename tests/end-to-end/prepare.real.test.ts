import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { openRecordStore, recordStoreSettings } from "@headwater/record-store";
import { readSettings } from "@headwater/settings";
import { temporaryFolder } from "@headwater/testing";
import type { RealServers } from "../support/real-servers.ts";
import { missingServers, useRealServers } from "../support/real-servers.ts";
import { runHeadwater } from "../support/run-headwater.ts";
import type { Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

const missing = missingServers();
if (missing.length > 0) test(`LEFT OUT: ${missing.join(", ")} not set`, { skip: true }, () => {});
else suite();

function suite(): void {
  let folder: string;
  let servers: RealServers;
  let worker: Stack;
  let administrator: DatabaseUser;
  const user = `service_${randomBytes(5).toString("hex")}`;
  const prepare = (words: string[], changes: Record<string, string> = {}) =>
    runHeadwater(["prepare", "--json", ...words], {
      environment: {
        ...{ ...servers.environment, HEADWATER_DATA_DIR: folder },
        ...{ HEADWATER_EMBEDDING_ADDRESS: worker.address("embedding-worker"), ...changes },
      },
    });

  before(async () => {
    folder = await temporaryFolder();
    servers = await useRealServers();
    worker = await startTestStack(folder, { services: ["embedding-worker"] });
    administrator = databaseUser(servers.environment["HEADWATER_POSTGRES_URL"] ?? "");
    const database = new URL(administrator.url).pathname.slice(1);
    // As docs/operations.md has it, before anything is made.
    await administrator.run(`CREATE ROLE ${user} LOGIN`);
    await administrator.run(`REVOKE CREATE, TEMPORARY ON DATABASE ${database} FROM PUBLIC`);
    for (const grant of [
      "USAGE ON SCHEMAS",
      "SELECT, INSERT, UPDATE, DELETE ON TABLES",
      "USAGE ON SEQUENCES",
    ])
      await administrator.run(`ALTER DEFAULT PRIVILEGES GRANT ${grant} TO ${user}`);
  });
  after(async () => {
    await worker.close(1000);
    await administrator.run(`DROP OWNED BY ${user}`);
    await administrator.run(`DROP ROLE ${user}`);
    await servers.stop();
  });

  test("without an embedding-worker, prepare makes all but the indexes, or says what it misses", async () => {
    const nobody = { HEADWATER_EMBEDDING_ADDRESS: "127.0.0.1:9" };
    const all = await prepare(["ingest"], nobody);
    assert.equal(all.code, 3);
    assert.match(all.stderr, /HW_EMBEDDING_UNAVAILABLE/);
    const { code, stdout, stderr } = await prepare(["ingest", "--no-indexes"], nobody);
    assert.deepEqual([code, values(stdout)], [0, [{ service: "ingest", indexes: null }]], stderr);
    assert.deepEqual(await indexNames(servers.environment), []);
  });

  test("prepare makes what the servers lack, and leaves what is there as it is when it is repeated", async () => {
    const generations = new Set<string>();
    for (const time of ["new", "again"]) {
      const { code, stdout, stderr } = await prepare([]);
      assert.equal(code, 0, `${time}: ${stderr}`);
      const [ingest, generation] = values(stdout);
      assert.equal(ingest?.["service"], "ingest");
      const indexes = ingest["indexes"] as { generation: string; current: boolean };
      assert.equal(indexes.current, true);
      generations.add(indexes.generation);
      assert.deepEqual(generation, { service: "generation" });
    }
    assert.equal(generations.size, 1);
    const [generation = ""] = generations;
    const names = await indexNames(servers.environment);
    assert.equal(names.length, 2, names.join());
    for (const name of names) assert(name.includes(generation), name);
  });

  test("prepare names the server that is down, and waits for it as long as it was told to", async () => {
    const down = { HEADWATER_POSTGRES_URL: "postgres://headwater@127.0.0.1:9/headwater" };
    for (const service of ["ingest", "generation"]) {
      const refused = await prepare([service], down);
      assert.equal(refused.code, 3);
      assert.match(refused.stderr, /HW_POSTGRES_UNAVAILABLE/);
      assert.doesNotMatch(refused.stderr, /waits/);
    }
    const patient = await prepare(["generation", "--wait", "10"], down);
    assert.equal(patient.code, 3);
    assert.match(patient.stderr, /generation waits: .*HW_POSTGRES_UNAVAILABLE/);
  });

  test("services that may make nothing start on what prepare has made", async (context) => {
    const url = new URL(administrator.url);
    url.username = user;
    const stack = await startTestStack(folder, {
      environment: {
        ...servers.environment,
        HEADWATER_POSTGRES_URL: url.href,
        HEADWATER_KAFKA_CREATE_TOPICS: "false",
        HEADWATER_S3_CREATE_BUCKET: "false",
      },
    });
    context.after(() => stack.close(2000));
    const { code, stdout, stderr } = await runHeadwater(["smoke-test", "--json"], {
      environment: { ...servers.environment, HEADWATER_SERVER: `http://${stack.address("gateway")}` },
    });
    assert.equal(code, 0, stdout + stderr);
    assert.equal((await indexNames(servers.environment)).length, 2);
    // The rights are as few as they seem.
    const service = databaseUser(url.href);
    await assert.rejects(service.run("CREATE TABLE ingest.more (id text)"), {
      reason: "HW_RECORDS_FORBIDDEN",
    });
  });
}

function values(stdout: string): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function indexNames(environment: Record<string, string>): Promise<string[]> {
  const { HEADWATER_ELASTICSEARCH_URL: url, HEADWATER_ELASTICSEARCH_PREFIX: prefix } = environment;
  const found = await fetch(`${url}/_cat/indices/${prefix}*?h=index&format=json`);
  return ((await found.json()) as { index: string }[]).map(({ index }) => index);
}

interface DatabaseUser {
  readonly url: string;
  run(sql: string): Promise<void>;
}

function databaseUser(url: string): DatabaseUser {
  return {
    url,
    async run(sql) {
      const settings = readSettings(recordStoreSettings, { HEADWATER_POSTGRES_URL: url });
      const store = await openRecordStore(settings, { folder: "", schema: "public" });
      await store.query(sql).finally(() => store.close());
    },
  };
}
