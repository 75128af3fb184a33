import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readPemFile } from "./index.ts";

test("certificates come from the file of a setting; what is no PEM is refused by its name", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "headwater-settings-"));
  context.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "ca.crt");
  const read = (path: string | undefined) => readPemFile({ HEADWATER_CA_FILE: path }, "HEADWATER_CA_FILE");
  const refused = { reason: "HW_SETTINGS_INVALID", message: /HEADWATER_CA_FILE/ };
  assert.equal(read(undefined), undefined);
  assert.throws(() => read(file), refused);
  await writeFile(file, "not a certificate");
  assert.throws(() => read(file), refused);
  await writeFile(file, "-----BEGIN CERTIFICATE-----\n");
  assert.equal(read(file), "-----BEGIN CERTIFICATE-----\n");
});
