import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { HeadwaterError, status } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import { temporaryFolder } from "@headwater/testing";
import { openRecordStore, recordStoreSettings } from "./index.ts";
import { fromPostgres } from "./postgres-error.ts";
import { readConnection } from "./postgres-settings.ts";

const folder = await temporaryFolder();
const read = (env: Record<string, string> = {}) => readSettings(recordStoreSettings, env);

test("without an address the records are in the folder", async () => {
  const store = await openRecordStore(read(), { folder: join(folder, "records"), schema: "test" });
  assert.equal(store.shared, false);
  await store.checkHealth();
  await store.close();
});

test("an address says where the server is, settings how it is signed in to", async () => {
  const file = join(folder, "password");
  await writeFile(file, "first\n");
  const url = "postgres://a%40b@[::1]:15432/head%20water";
  const connection = readConnection(url, read({ HEADWATER_POSTGRES_PASSWORD_FILE: file }));
  const { password, ...place } = connection;
  assert.deepEqual(place, { host: "::1", port: 15_432, user: "a@b", database: "head water", ssl: false });
  assert.ok(typeof password === "function");
  assert.equal(await password(), "first");
  await writeFile(file, "second\n");
  assert.equal(await password(), "second", "a password that has changed is not read");
  assert.deepEqual(readConnection("postgresql://u:p%2F@h/d", read({ HEADWATER_POSTGRES_TLS: "true" })), {
    ...{ host: "h", port: 5432, user: "u", password: "p/", database: "d", ssl: { rejectUnauthorized: true } },
  });
});

test("what is no address, or would not be heeded, is refused", async () => {
  for (const url of ["x", "http://h/d", "postgres://h", "postgres://h/d?sslmode=require"])
    assert.throws(() => read({ HEADWATER_POSTGRES_URL: url }), { reason: "HW_SETTINGS_INVALID" }, url);
  const settings = read({ HEADWATER_POSTGRES_TLS: "true", HEADWATER_POSTGRES_CA_FILE: join(folder, "none") });
  assert.throws(() => readConnection("postgres://h/d", settings), { reason: "HW_SETTINGS_INVALID" });
});

test("a server that nobody answers for is unavailable", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  await new Promise((resolve) => server.close(resolve));
  const values = read({ HEADWATER_POSTGRES_URL: `postgres://u@127.0.0.1:${address.port}/d` });
  await assert.rejects(openRecordStore(values, { folder, schema: "test" }), {
    code: status.UNAVAILABLE,
    reason: "HW_POSTGRES_UNAVAILABLE",
  });
});

test("what the server says has a code and a reason", () => {
  const meanings: readonly (readonly [string, number, string])[] = [
    ["57P01", status.UNAVAILABLE, "HW_POSTGRES_UNAVAILABLE"],
    ["57P03", status.UNAVAILABLE, "HW_POSTGRES_UNAVAILABLE"],
    ["53300", status.UNAVAILABLE, "HW_POSTGRES_UNAVAILABLE"],
    ["08006", status.UNAVAILABLE, "HW_POSTGRES_UNAVAILABLE"],
    ["25006", status.UNAVAILABLE, "HW_POSTGRES_UNAVAILABLE"],
    ["ECONNREFUSED", status.UNAVAILABLE, "HW_POSTGRES_UNAVAILABLE"],
    ["EPIPE", status.UNAVAILABLE, "HW_POSTGRES_UNAVAILABLE"],
    ["57014", status.UNAVAILABLE, "HW_POSTGRES_TOO_SLOW"],
    ["40P01", status.ABORTED, "HW_RECORDS_CONFLICT"],
    ["23505", status.ALREADY_EXISTS, "HW_RECORD_EXISTS"],
    ["28P01", status.FAILED_PRECONDITION, "HW_RECORDS_FORBIDDEN"],
    ["3D000", status.FAILED_PRECONDITION, "HW_RECORDS_FORBIDDEN"],
    ["53100", status.UNAVAILABLE, "HW_DISK_FULL"],
    ["SELF_SIGNED_CERT_IN_CHAIN", status.FAILED_PRECONDITION, "HW_POSTGRES_TLS_FAILED"],
    ["42P01", status.INTERNAL, "HW_RECORDS_FAILED"],
  ];
  for (const [code, expected, reason] of meanings) {
    const error = fromPostgres(Object.assign(new Error("said"), { code }));
    assert.ok(error instanceof HeadwaterError);
    assert.deepEqual([error.code, error.reason], [expected, reason], code);
  }
});
