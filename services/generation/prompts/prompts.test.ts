import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import fc from "fast-check";
import { openMemoryRecords } from "../testing/memory-records.ts";
import { PromptHandlers } from "./prompt-handlers.ts";
import { fillIn, renderTemplate, variablesOf } from "./prompt-template.ts";
import { Prompts, pickShare } from "./prompts.ts";

const records = await openMemoryRecords();
const prompts = await Prompts.open(records);
const handlers = new PromptHandlers(prompts);
let tenant = "";
let tenants = 0;
beforeEach(() => {
  tenants += 1;
  tenant = `tenant-${tenants}`;
});

const add = async (name: string, text: string) =>
  (await handlers.createPromptVersion({ tenant, name, text, note: "" })).version.version;
const label = (name: string, of: string, ...shares: { version: number; weight: number }[]) =>
  handlers.setPromptLabel({ tenant, name, label: { label: of, shares } });
const rejects = (work: Promise<unknown>, reason: string) => assert.rejects(work, { reason });

test("versions count up, are never changed, and keep counting after the prompt was deleted", async () => {
  assert.deepEqual([await add("greet", "Hello"), await add("greet", "Hi")], [1, 2]);
  const { versions } = await handlers.listPromptVersions({
    tenant,
    name: "greet",
    pageSize: 0,
    pageToken: "",
  });
  assert.deepEqual(
    versions.map(({ version, text }) => [version, text]),
    [
      [2, "Hi"],
      [1, "Hello"],
    ],
  );
  await handlers.deletePrompt({ tenant, name: "greet" });
  await rejects(handlers.getPrompt({ tenant, name: "greet" }), "HW_PROMPT_NOT_FOUND");
  await rejects(prompts.resolve(tenant, "greet@2", ""), "HW_PROMPT_VERSION_NOT_FOUND");
  assert.equal(await add("greet", "Hey"), 3);
  assert.equal((await handlers.getPrompt({ tenant, name: "greet" })).prompt?.latestVersion, 3);
});

test("versions that are made at the same time get different numbers", async () => {
  const made = await Promise.all(Array.from({ length: 20 }, (_, index) => add("race", `text ${index}`)));
  assert.deepEqual(
    made.toSorted((a, b) => a - b),
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
});

test("production is what a request without label gets: the built-in one until the label is set, and again by roll-back", async () => {
  const resolved = async (reference: string) => {
    const { version, text } = await prompts.resolve(tenant, reference, "");
    return [version, text.slice(0, 7)];
  };
  assert.equal((await resolved("answer"))[0], 0);
  await add("answer", "First of mine");
  await add("answer", "Other of mine");
  assert.equal((await resolved("answer"))[0], 0, "a version alone changes nothing");
  await label("answer", "production", { version: 1, weight: 1 });
  assert.deepEqual(await resolved("answer"), [1, "First o"]);
  await label("answer", "production", { version: 2, weight: 1 });
  await label("answer", "staging", { version: 1, weight: 1 });
  assert.deepEqual(await resolved("answer"), [2, "Other o"]);
  assert.deepEqual(await resolved("answer@staging"), [1, "First o"]);
  assert.deepEqual(await resolved("answer@1"), [1, "First o"]);
  assert.equal((await resolved("answer@0"))[0], 0);
  await handlers.rollBackPromptLabel({ tenant, name: "answer", label: "production" });
  assert.deepEqual(await resolved("answer"), [1, "First o"]);
  await rejects(
    handlers.rollBackPromptLabel({ tenant, name: "answer", label: "production" }),
    "HW_PROMPT_NOTHING_BEFORE",
  );
  await label("answer", "production", { version: 0, weight: 1 });
  assert.equal((await resolved("answer"))[0], 0);
  await rejects(prompts.resolve(tenant, "answer@nightly", ""), "HW_PROMPT_LABEL_NOT_FOUND");
});

test("a split gives each key its side for good, in the shares that were asked for", async () => {
  await add("greet", "A");
  await add("greet", "B");
  await label("greet", "production", { version: 1, weight: 3 }, { version: 2, weight: 1 });
  const sides = await Promise.all(
    Array.from(
      { length: 2000 },
      async (_, index) => (await prompts.resolve(tenant, "greet", `k${index}`)).version,
    ),
  );
  const first = sides.filter((version) => version === 1).length / sides.length;
  assert(Math.abs(first - 0.75) < 0.04, String(first));
  const again = await prompts.resolve(tenant, "greet", "k17");
  assert.equal(again.version, sides[17]);
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 1e-9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 16 }),
      fc.string(),
      (weights, key) => {
        const shares = weights.map((weight, version) => ({ version, weight }));
        assert(pickShare(shares, key) < shares.length);
      },
    ),
  );
});

test("a change that another process made is seen", async () => {
  const other = await Prompts.open(records);
  await add("greet", "old");
  await label("greet", "production", { version: 1, weight: 1 });
  assert.equal((await prompts.resolve(tenant, "greet", "")).text, "old");
  await other.store.addVersion(tenant, "greet", "new", "");
  await other.store.setLabel(
    tenant,
    "greet",
    { label: "production", shares: [{ version: 2, weight: 1 }] },
    false,
  );
  let seen = "";
  for (let tries = 0; tries < 500 && seen !== "new"; tries += 1) {
    await new Promise((done) => setTimeout(done, 10));
    seen = (await prompts.resolve(tenant, "greet", "")).text;
  }
  assert.equal(seen, "new");
});

test("variables are checked when a version is made and when it is rendered", async () => {
  await rejects(add("answer", "Say {{nothing}}"), "HW_PROMPT_VARIABLES_INVALID");
  await add("answer", "It is {{ date }}.");
  await add("greet", "Dear {{name}}, {{ name }} and {{other}}! {{not a variable}} {name}");
  const render = (variables: Record<string, string>) =>
    handlers.renderPrompt({ tenant, prompt: "greet@1", variables });
  await rejects(render({ name: "Ada" }), "HW_PROMPT_VARIABLES_INVALID");
  await rejects(render({ name: "Ada", other: "Bob", third: "" }), "HW_PROMPT_VARIABLES_INVALID");
  const { text, version } = await render({ name: "{{other}}", other: "$&" });
  assert.equal(text, "Dear {{other}}, {{other}} and $&! {{not a variable}} {name}");
  assert.equal(version, 1);
  assert.deepEqual(variablesOf("{{a}}{{ b }}{{a}}"), ["a", "b"]);
  assert.equal(fillIn("{{a}} {{b}}", { a: "1" }), "1 {{b}}");
  assert.throws(() => renderTemplate("{{constructor}}", {}), { reason: "HW_PROMPT_VARIABLES_INVALID" });
});

test("the diff of two versions is a unified diff, and of equal ones empty", async () => {
  await add("greet", "one\ntwo\nthree");
  await add("greet", "one\n2\nthree");
  const diff = async (fromVersion: number, toVersion: number) =>
    (await handlers.diffPromptVersions({ tenant, name: "greet", fromVersion, toVersion })).diff;
  assert.match(await diff(1, 2), /^--- greet@1\n\+\+\+ greet@2\n@@ -1,3 \+1,3 @@\n one\n-two\n\+2\n three$/m);
  assert.equal(await diff(1, 1), "");
  await rejects(diff(1, 3), "HW_PROMPT_VERSION_NOT_FOUND");
});

test("pages hold the tenant's prompts and the built-in ones, each once, in order of name", async () => {
  for (const name of ["zebra", "answer", "apple", "b.2"]) await add(name, "text");
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await handlers.listPrompts({ tenant, pageSize: 2, pageToken });
    names.push(...page.prompts.map(({ name }) => name ?? ""));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  assert.deepEqual(names, [...new Set(names)].toSorted());
  for (const name of ["answer", "apple", "b.2", "chat", "zebra"]) assert(names.includes(name), name);
  const versions: number[] = [];
  pageToken = "";
  for (let more = 0; more < 3; more += 1) await add("answer", `text ${more}`);
  do {
    const page = await handlers.listPromptVersions({ tenant, name: "answer", pageSize: 2, pageToken });
    versions.push(...page.versions.map(({ version }) => version));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  assert.deepEqual(versions, [4, 3, 2, 1, 0]);
});

test("tenants do not see each other's prompts", async () => {
  await add("greet", "mine");
  await label("greet", "production", { version: 1, weight: 1 });
  await rejects(prompts.resolve("somebody-else", "greet", ""), "HW_PROMPT_NOT_FOUND");
});

test("what is not right is refused with its reason", async () => {
  await add("greet", "x");
  for (const [work, reason] of [
    [add("Big Name", "x"), "HW_PROMPT_NAME_INVALID"],
    [add("greet", ""), "HW_TEXT_INVALID"],
    [add("greet", "x".repeat(65_537)), "HW_TEXT_INVALID"],
    [add("greet", "a\0b"), "HW_TEXT_INVALID"],
    [label("greet", "12", { version: 1, weight: 1 }), "HW_PROMPT_LABEL_INVALID"],
    [label("greet", "production"), "HW_PROMPT_SHARES_INVALID"],
    [label("greet", "production", { version: 1, weight: 0 }), "HW_PROMPT_SHARES_INVALID"],
    [
      label("greet", "production", { version: 1, weight: 1 }, { version: 1, weight: 2 }),
      "HW_PROMPT_SHARES_INVALID",
    ],
    [label("greet", "production", { version: 7, weight: 1 }), "HW_PROMPT_VERSION_NOT_FOUND"],
    [label("greet", "production", { version: 0, weight: 1 }), "HW_PROMPT_VERSION_NOT_FOUND"],
    [label("nobody", "production", { version: 1, weight: 1 }), "HW_PROMPT_NOT_FOUND"],
    [prompts.resolve(tenant, "greet@99999999999999", ""), "HW_PROMPT_LABEL_INVALID"],
    [prompts.resolve(tenant, "greet@9999999999", ""), "HW_PROMPT_VERSION_INVALID"],
    [prompts.resolve(tenant, "greet@1@2", ""), "HW_PROMPT_LABEL_INVALID"],
  ] as const)
    await rejects(work, reason);
});
