import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { createAuthority, mountCertificates } from "@headwater/testing/certificates";
import { startFixture } from "./testing/fixture.ts";

test("services that do not speak TLS are not called, and callers and probes are told why", async () => {
  const folder = await temporaryFolder();
  const authority = await createAuthority("ours");
  await mountCertificates(folder, await authority.issue(["headwater-gateway.rag.svc"]));
  const fixture = await startFixture({ HEADWATER_TLS_DIR: folder });
  const answer = await fetch(fixture.url("/v1/models"));
  const { error } = (await answer.json()) as { error: { reason: string; action: string } };
  assert.deepEqual([answer.status, error.reason], [503, "HW_TLS_SERVER_PLAIN_TEXT"]);
  assert.match(error.action, /HEADWATER_TLS_DIR/);
  const health = await fetch(fixture.url("/health/ready"));
  assert.match(await health.text(), /HW_TLS_SERVER_PLAIN_TEXT/);
});
