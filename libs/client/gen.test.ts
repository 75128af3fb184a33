import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";

test("the generated code is what the protos make", async () => {
  const folder = await temporaryFolder();
  cpSync(join(import.meta.dirname, "proto"), join(folder, "proto"), { recursive: true });
  const bin = join(import.meta.dirname, "../../node_modules/.bin");
  execFileSync(join(bin, "buf"), ["generate"], {
    cwd: join(folder, "proto"),
    env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
  });
  const files = readdirSync(join(folder, "gen"), { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  assert.equal(files.length, 2);
  for (const file of files) {
    const made = readFileSync(join(folder, "gen", file), "utf8");
    assert.equal(made, readFileSync(join(import.meta.dirname, "gen", file), "utf8"), file);
  }
});
