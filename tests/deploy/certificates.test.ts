import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createSecureContext } from "node:tls";
import { promisify } from "node:util";
import { temporaryFolder } from "@headwater/testing";
import { parse, parseAllDocuments } from "yaml";

const run = promisify(execFile);
const script = join(import.meta.dirname, "../../deploy/certificates/make.sh");

test("certificates for trying out are of one CA, name the chart's Services, and are renewed under the same CA", async () => {
  const folder = await temporaryFolder();
  const file = (...path: string[]) => join(folder, ...path);
  await run(script, [folder, "mine", "rag"]);
  const authority = new X509Certificate(await readFile(file("ca.crt")));
  const before = await readFile(file("search", "tls.crt"), "utf8");
  for (const component of [
    "ingest",
    "embedding-worker",
    "search",
    "generation",
    "gateway",
    "scaler",
    "keda",
  ]) {
    const [cert, key] = [
      await readFile(file(component, "tls.crt")),
      await readFile(file(component, "tls.key")),
    ];
    createSecureContext({ cert, key, ca: await readFile(file(component, "ca.crt")) });
    const certificate = new X509Certificate(cert);
    assert(certificate.verify(authority.publicKey), component);
    assert.equal(
      certificate.checkHost(`mine-headwater-${component}.rag.svc`),
      `mine-headwater-${component}.rag.svc`,
    );
    assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    assert.equal((await stat(file(component, "tls.key"))).mode & 0o077, 0);
  }
  await run(script, [folder, "mine", "rag"]);
  const after = await readFile(file("search", "tls.crt"), "utf8");
  assert.notEqual(after, before);
  assert(new X509Certificate(after).verify(authority.publicKey));

  const values = parse(await readFile(file("values.yaml"), "utf8")) as {
    tls: { mode: string; existingSecrets: Record<string, string> };
  };
  const secrets = parseAllDocuments(await readFile(file("secrets.yaml"), "utf8")).map(
    (document) => document.toJS() as { metadata: { name: string }; data: Record<string, string> },
  );
  assert.equal(values.tls.mode, "existingSecrets");
  assert.deepEqual(
    Object.values(values.tls.existingSecrets),
    secrets.map(({ metadata }) => metadata.name),
  );
  const search = secrets.find(({ metadata }) => metadata.name === "mine-headwater-search-certificate");
  assert.equal(Buffer.from(search?.data["tls.crt"] ?? "", "base64").toString(), after);
});
