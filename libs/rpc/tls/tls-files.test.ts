import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import type { CertificateFiles } from "@headwater/testing/certificates";
import { createAuthority, mountCertificates } from "@headwater/testing/certificates";
import { subjectNames } from "./subject-names.ts";
import { checkTlsFiles, readTlsFiles } from "./tls-files.ts";
import { readTlsConfig } from "./tls-settings.ts";

const authority = await createAuthority("authority");
const good = await authority.issue(["a.svc", "spiffe://cluster.local/a", "10.0.0.7"]);

async function load(files: CertificateFiles) {
  const folder = await temporaryFolder();
  await mountCertificates(folder, files);
  return checkTlsFiles(folder, readTlsFiles(folder));
}

test("a good set tells its names and when it ends", async () => {
  const { names, expires } = await load(good);
  assert.deepEqual(names, ["a.svc", "spiffe://cluster.local/a"]);
  assert(expires.getTime() > Date.now());
});

test("each file that cannot be used is refused by name", async () => {
  const other = await authority.issue(["b.svc"]);
  const refusals: [Partial<CertificateFiles>, string, RegExp][] = [
    [{ "tls.key": other["tls.key"] }, "HW_TLS_KEY_MISMATCH", /tls\.key/],
    [{ "tls.key": "no key" }, "HW_TLS_FILE_INVALID", /tls\.key holds no private key/],
    [{ "tls.crt": "" }, "HW_TLS_FILE_INVALID", /tls\.crt holds no certificate/],
    [{ "tls.crt": good["tls.crt"].slice(0, 200) }, "HW_TLS_FILE_INVALID", /tls\.crt is cut short/],
    [{ "ca.crt": good["tls.key"] }, "HW_TLS_FILE_INVALID", /ca\.crt is cut short, or holds something else/],
    [await authority.issue(["a.svc"], { toMs: -60_000 }), "HW_TLS_CERTIFICATE_EXPIRED", /expired at/],
    [await authority.issue(["a.svc"], { fromMs: 1_800_000 }), "HW_TLS_CERTIFICATE_EXPIRED", /before/],
  ];
  for (const [change, reason, message] of refusals)
    await assert.rejects(load({ ...good, ...change }), { reason, message }, reason);
});

test("a file that is missing is named", async () => {
  const folder = await temporaryFolder();
  for (const [name, content] of Object.entries(good)) await writeFile(join(folder, name), content);
  await rm(join(folder, "ca.crt"));
  assert.throws(() => readTlsFiles(folder), {
    reason: "HW_TLS_FILE_UNREADABLE",
    message: /ca\.crt cannot be/,
  });
});

test("several authorities are all trusted, however their file is put together", async () => {
  const other = await createAuthority("other");
  for (const gap of ["\n", "", "\n# the next one\n"]) {
    const { options } = await load({ ...good, "ca.crt": authority.certificate + gap + other.certificate });
    assert(Array.isArray(options.ca));
    assert.equal(options.ca.length, 2);
  }
});

test("names are taken from the text that Node makes of them, and no value passes for two", () => {
  assert.deepEqual(subjectNames("DNS:a.svc, URI:spiffe://x/y, IP Address:10.0.0.7, DNS:b.svc"), [
    "a.svc",
    "spiffe://x/y",
    "b.svc",
  ]);
  assert.deepEqual(subjectNames('URI:"x, DNS:a.svc, y", DNS:b.svc'), ["b.svc"]);
  assert.deepEqual(subjectNames('DNS:"x\\", DNS:a.svc, \\"y"'), []);
  assert.deepEqual(subjectNames(undefined), []);
  assert.deepEqual(subjectNames("nothing of the kind"), []);
});

test("a server has to be told who may call it", () => {
  const allow = (HEADWATER_TLS_ALLOWED_CLIENTS: string | undefined) =>
    readTlsConfig({ HEADWATER_TLS_DIR: "/tls", HEADWATER_TLS_ALLOWED_CLIENTS })?.allowedClients;
  assert.deepEqual(allow("a.svc, spiffe://x/y,"), new Set(["a.svc", "spiffe://x/y"]));
  assert.equal(allow("*"), "*");
  for (const nobody of [undefined, " , "])
    assert.throws(() => allow(nobody), { reason: "HW_SETTINGS_INVALID", message: /ALLOWED_CLIENTS/ });
  const unset = { HEADWATER_TLS_DIR: undefined };
  assert.equal(readTlsConfig({ ...unset, HEADWATER_TLS_ALLOWED_CLIENTS: undefined }), undefined);
  assert.throws(() => readTlsConfig({ ...unset, HEADWATER_TLS_ALLOWED_CLIENTS: "*" }), {
    reason: "HW_SETTINGS_INVALID",
  });
});
