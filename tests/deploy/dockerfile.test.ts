import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Instruction } from "dockerfile-ast";
import { Copy, DockerfileParser, Entrypoint, Env, From, Label } from "dockerfile-ast";
import ignore from "ignore";
import { components } from "../../scripts/image/component.ts";
import { findContents } from "../../scripts/image/contents.ts";
import { imageConfig, versionOf } from "../../scripts/image/image-config.ts";
import { layerNames } from "../../scripts/image/layers.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** By name; the one that is built, which has none, by "". */
const stages = new Map<string, Instruction[]>();
for (const instruction of DockerfileParser.parse(read("Dockerfile")).getInstructions()) {
  if (instruction instanceof From) stages.set(instruction.getBuildStage() ?? "", [instruction]);
  else [...stages.values()].at(-1)?.push(instruction);
}

/** What makes the image of a component: its stage, and those that it stands on, first. */
function instructionsOf(component: string, stage = ""): Instruction[] {
  const own = stages.get(stage) ?? [];
  const [from] = own;
  const below = from instanceof From ? (from.getImage() ?? "") : "";
  if (below === "scratch") return own;
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the Dockerfile
  return [...instructionsOf(component, below === "${COMPONENT}" ? component : below), ...own];
}

for (const component of components) {
  test(`the Dockerfile makes headwater-${component.name} as scripts/image.ts does`, () => {
    const build = { version: versionOf(root), revision: "of a commit", created: "2026-01-02T03:04:05.000Z" };
    const wanted = imageConfig(component, build);
    const values: Record<string, string> = {
      $COMPONENT: component.name,
      $HEADWATER_REVISION: build.revision,
      $HEADWATER_CREATED: build.created,
    };
    const instructions = instructionsOf(component.name);
    const one = (keyword: string) =>
      instructions.filter((each) => each.getKeyword() === keyword).map((each) => each.getArgumentsContent());
    const properties = (kind: typeof Label | typeof Env) =>
      instructions
        .filter((each): each is Label | Env => each instanceof kind)
        .flatMap((each) => each.getProperties())
        .map((property) => [
          property.getName(),
          (property.getValue() ?? "").replace(/\$[A-Z_]+/g, (name) => values[name] ?? name),
        ]);
    assert.deepEqual(Object.fromEntries(properties(Label)), wanted.Labels);
    assert.deepEqual(
      properties(Env).map(([name, value]) => `${name}=${value}`),
      wanted.Env,
    );
    assert.deepEqual(one("USER"), [wanted.User]);
    assert.deepEqual(one("WORKDIR"), [wanted.WorkingDir]);
    assert.deepEqual(
      one("EXPOSE").flatMap((ports) => (ports ?? "").split(" ").map((port) => `${port}/tcp`)),
      Object.keys(wanted.ExposedPorts),
    );
    const entrypoints = instructions.filter((each) => each instanceof Entrypoint);
    assert.deepEqual(
      entrypoints.map((each) => each.getJSONStrings().map((text) => JSON.parse(text.getValue()))),
      [wanted.Entrypoint],
    );
    const copies = instructions.filter((each) => each instanceof Copy);
    assert.deepEqual(
      copies.map((each) => each.getArgumentsContent()),
      layerNames.map((layer) => `/layers/${layer}/ /`),
    );
    assert(copies.every((each) => each.getFromFlag()?.getValue() === "build"));
  });
}

test("the one image that is not ours is pinned by its digest", () => {
  const images = [...stages.values()].flatMap(([from]) =>
    from instanceof From ? [from.getImage() ?? ""] : [],
  );
  const others = images.filter(
    (image) => !stages.has(image) && image !== "scratch" && !image.startsWith("$"),
  );
  assert.equal(others.length, 1);
  assert.match(others[0] ?? "", /^node:24\.\d+\.\d+-bookworm-slim@sha256:[0-9a-f]{64}$/);
});

test("Docker is sent all that images are made of", async () => {
  const patterns = read(".dockerignore")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  // From the root, as Docker reads them, where they do not say otherwise.
  const ignored = ignore().add(
    patterns.map((pattern) => (pattern.startsWith("**/") ? pattern : `/${pattern}`)),
  );
  // The page is built inside.
  const files = [...(await findContents(root)).values()]
    .flatMap(({ sources }) => sources.files)
    .filter((file) => !file.startsWith("apps/page/dist/"));
  assert.deepEqual(
    files.filter((file) => ignored.ignores(file)),
    [],
  );
  assert(ignored.ignores("deploy/secrets/api-keys"));
  for (const file of ["package.json", "package-lock.json", "scripts/image.ts", "scripts/setup.mjs"])
    assert(!ignored.ignores(file), file);
});
