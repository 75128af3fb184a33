import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { components } from "./component.ts";
import { findContents } from "./contents.ts";

const root = join(import.meta.dirname, "../..");
const contents = await findContents(root);

test("every service has an image", () => {
  const names = components.map(({ name }) => name);
  for (const service of readdirSync(join(root, "services"))) assert(names.includes(service), service);
});

test("an image holds no test, and packages are not in two layers", () => {
  for (const [name, { component, sources, sharedPackages, packages }] of contents) {
    assert(sources.files.includes(component.entry), name);
    assert.deepEqual(
      sources.files.filter((file) => file.endsWith(".test.ts")),
      [],
      name,
    );
    assert.deepEqual(
      packages.filter((folder) => sharedPackages.includes(folder)),
      [],
      name,
    );
  }
});

test("only what runs models holds their runtime and the model", () => {
  const holding = (what: (held: readonly string[]) => boolean) =>
    [...contents]
      .filter(([, { packages, sources }]) => what([...packages, ...sources.files]))
      .map(([name]) => name);
  const runtime = (held: readonly string[]) => held.includes("node_modules/onnxruntime-node");
  const model = (held: readonly string[]) => held.some((file) => file.endsWith("/model.onnx"));
  // The command rebuilds indexes of a backup itself.
  assert.deepEqual(holding(runtime), ["embedding-worker", "cli"]);
  assert.deepEqual(holding(model), ["embedding-worker", "cli"]);
});
