import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { missingServers, useRealServers } from "../support/real-servers.ts";
import { runHeadwater } from "../support/run-headwater.ts";

const missing = missingServers();
if (missing.length > 0) test(`LEFT OUT: ${missing.join(", ")} not set`, { skip: true }, () => {});
else
  test("prepare makes what the servers lack, may be repeated, and names the server that is down", async () => {
    const folder = await temporaryFolder();
    const servers = await useRealServers();
    const environment = { ...servers.environment, HEADWATER_DATA_DIR: folder };
    try {
      for (const _ of ["new", "again"]) {
        const { code, stdout, stderr } = await runHeadwater(["prepare", "--json"], { environment });
        assert.deepEqual([code, JSON.parse(stdout || "null")], [0, { prepared: true }], stderr);
      }
      const nobody = { ...environment, HEADWATER_POSTGRES_URL: "postgres://headwater@127.0.0.1:9/headwater" };
      const refused = await runHeadwater(["prepare"], { environment: nobody });
      assert.notEqual(refused.code, 0);
      assert.match(refused.stderr, /HW_POSTGRES_UNAVAILABLE/);
    } finally {
      await servers.stop();
    }
  });
