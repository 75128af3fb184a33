import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { readApiKey } from "./api-key.ts";

const server = "http://127.0.0.1:8080";
const file = join(await temporaryFolder(), "api-key");

async function readFrom(text: string): Promise<string | undefined> {
  await writeFile(file, text);
  return readApiKey({ server, apiKeyFile: file });
}

test("a key comes from the command line, or from a file that holds it alone or with its tenant", async () => {
  assert.equal(readApiKey({ server }), undefined);
  assert.equal(readApiKey({ server, apiKey: "abc" }), "abc");
  for (const text of [
    "abc",
    "abc\n",
    "  abc\t\n",
    "abc acme\n",
    "# keys\n\nabc acme ada\nother globex\n",
    "abc acme,x y",
  ])
    assert.equal(await readFrom(text), "abc", JSON.stringify(text));
});

test("a file without a key, with a digest or that is not there is refused", async () => {
  const refused = (message: RegExp) => ({ reason: "HW_SETTINGS_INVALID", message });
  await assert.rejects(readFrom("\n# none\n"), refused(/the file holds no key/));
  await assert.rejects(readFrom(`sha256:${"0".repeat(64)} acme\n`), refused(/the digest of a key/));
  assert.throws(() => readApiKey({ server, apiKeyFile: "/nowhere/key" }), refused(/cannot be read/));
});
