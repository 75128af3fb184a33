import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { HeadwaterProcess } from "@headwater/cli/headwater-process";
import { ownEnvironment, startHeadwater } from "@headwater/cli/headwater-process";
import { temporaryFolder } from "@headwater/testing";
import type { CommandResult } from "../support/run-headwater.ts";
import { runHeadwater } from "../support/run-headwater.ts";

const folder = await temporaryFolder();
const dataFolder = join(folder, "data");
const files = join(folder, "files");

let headwater: HeadwaterProcess;

before(async () => {
  await mkdir(join(files, "deep"), { recursive: true });
  await writeFile(
    join(files, "meanders.md"),
    "# Meanders\n\nA river meanders because the outside of a bend erodes.\n",
  );
  await writeFile(
    join(files, "deep", "delta.txt"),
    "A delta is built of silt where a river meets the sea.\n",
  );
  await writeFile(join(files, "broken.pdf"), "%PDF-1.7\nnot really a document");
  await writeFile(
    join(files, "collection.jsonl"),
    '{"_id":"c1","title":"Springs","text":"A spring is where groundwater comes up."}\n{"_id":"c2","text":"Weirs raise the water level."}\nnot json\n',
  );
  headwater = await startHeadwater(dataFolder);
});
after(() => headwater.stop());

function run(...commandLine: string[]): Promise<CommandResult> {
  return runHeadwater(commandLine, { environment: { HEADWATER_SERVER: headwater.url } });
}

function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("ingest takes folders and collections, tells what failed, and exits with 4", async () => {
  const { code, stdout } = await run("ingest", files, "--json");
  const values = jsonLines(stdout);
  assert.equal(code, 4);
  const summary = values.at(-1);
  assert.deepEqual(
    [summary?.["type"], summary?.["received"], summary?.["done"], summary?.["problems"]],
    ["summary", 5, 5, 2],
  );
  const problems = values.filter(({ type }) => type === "problem");
  assert.deepEqual(
    problems.map(({ reason }) => String(reason).replace(/_(CORRUPT|EMPTY|NO_TEXT)$/, "")).sort(),
    ["HW_DOCUMENT", "HW_LINE_MALFORMED"],
  );
});

test("standard input is read as JSON Lines", async () => {
  const { code, stdout } = await runHeadwater(["ingest", "-"], {
    environment: { HEADWATER_SERVER: headwater.url },
    input: '{"id":"piped","text":"Eels migrate to the Sargasso Sea."}\n',
  });
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^1 documents processed in /);
});

test("search prints hits for people and JSON for scripts", async () => {
  const forPeople = await run("search", "where", "does", "groundwater", "come", "up");
  assert.equal(forPeople.code, 0);
  assert.match(forPeople.stdout, /^1\. Springs/m);
  const events = jsonLines((await run("search", "groundwater", "--json")).stdout);
  assert.equal(events.at(-1)?.["type"], "summary");
});

test("ask answers with sources, and exits with 5 where the documents do not say", async () => {
  const answered = await run("ask", "Why does a river meander?");
  assert.equal(answered.code, 0, answered.stderr);
  assert.match(answered.stdout, /outside of a bend erodes\. \[1\]/);
  assert.match(answered.stdout, /\[1\] Meanders/);
  const unanswered = await run("ask", "Who", "painted", "the", "Mona", "Lisa?", "--json");
  assert.equal(unanswered.code, 5, unanswered.stdout);
});

test("chat says one thing, or line by line in one conversation that can be gone on with", async () => {
  const once = await run("chat", "-m", "Why does a river meander?");
  assert.equal(once.code, 0, once.stderr);
  assert.match(once.stdout, /outside of a bend erodes\. \[1\]/);
  assert.match(once.stdout, /\[1\] Meanders/);
  assert.match(once.stderr, /^extractive · \d+ ms$/m);
  const lines = await runHeadwater(["chat", "--json"], {
    environment: { HEADWATER_SERVER: headwater.url },
    input: "Why does a river meander?\n\nWhat is a delta built of?\n",
  });
  assert.equal(lines.code, 0, lines.stderr);
  const started = jsonLines(lines.stdout).filter(({ type }) => type === "started");
  assert.equal(started.length, 2);
  const conversation = String(started[0]?.["conversationId"]);
  assert.equal(started[1]?.["conversationId"], conversation);
  const gone = await run(
    "chat",
    "--conversation",
    conversation,
    "-m",
    "Who painted the Mona Lisa?",
    "--json",
  );
  assert.equal(gone.code, 5, gone.stdout);
  const [first] = jsonLines(gone.stdout);
  assert.equal(first?.["conversationId"], conversation);
  const unknown = await run("chat", "--agent", "nobody", "-m", "Hello");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /HW_AGENT_UNKNOWN/);
});

test("eval answers measures a set of one's own, and takes its documents out again", async () => {
  const set = join(folder, "springs");
  const questions = [
    {
      id: "1",
      question: "Where does groundwater come up?",
      evidence: [{ document: "spring.md", quote: "A spring is where groundwater comes up." }],
    },
    { id: "2", question: "Who painted the Mona Lisa?", evidence: [] },
  ];
  await mkdir(join(set, "documents"), { recursive: true });
  await writeFile(
    join(set, "documents", "spring.md"),
    "# Springs\n\nA spring is where groundwater\ncomes up.\n",
  );
  const write = (lines: readonly object[]) =>
    writeFile(join(set, "questions.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  await write(questions);
  const measured = await run("eval", "answers", set);
  assert.equal(measured.code, 0, measured.stderr);
  assert.match(measured.stdout, /^springs: 1 documents, 1 questions with an answer, 1 without\n/);
  assert.match(
    measured.stdout,
    /^ +citation precision +citation recall +right refusals +wrong refusals +ms an answer$/m,
  );
  assert.match(measured.stdout, /^extractive +1\.000 +1\.000 +1\.000 +0\.000 +\d+$/m);
  const named = await run("eval", "answers", set, "--model", "extractive", "--callers", "2", "--json");
  const [value] = jsonLines(named.stdout) as {
    set: string;
    models: { model: string; citations: number }[];
  }[];
  assert.equal(value?.set, "springs");
  assert.deepEqual(
    value?.models.map(({ model, citations }) => [model, citations]),
    [["extractive", 1]],
  );
  const unknown = await run("eval", "answers", set, "--model", "nobody");
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /HW_MODEL_UNKNOWN/);
  await write([{ ...questions[0], evidence: [{ document: "spring.md", quote: "Not in there." }] }]);
  const misquoted = await run("eval", "answers", set);
  assert.equal(misquoted.code, 2);
  assert.match(misquoted.stderr, /HW_ANSWER_SET_INVALID/);
  assert.deepEqual(jsonLines((await run("documents", "--tenant", "evaluation", "--json")).stdout), []);
});

test("documents and status tell where everything is; delete deletes", async () => {
  const listed = jsonLines((await run("documents", "--json")).stdout);
  assert.equal(listed.length, 6);
  const failed = jsonLines((await run("documents", "--state", "failed", "--json")).stdout);
  assert.equal(failed.length, 1);
  const text = await run("documents", "c1", "--text");
  assert.equal(text.stdout, "A spring is where groundwater comes up.\n");
  assert.equal((await run("delete", "piped")).code, 0);
  assert.match((await run("status")).stdout, /^dead letters +1$/m);
  assert.match((await run("dead-letters", "list")).stdout, /broken\.pdf/);
});

test("doctor is content with what is well, and names what is not", async () => {
  const { code, stdout } = await run("doctor");
  assert.equal(code, 1);
  assert.match(stdout, /✓ server: .* is ready/);
  assert.match(stdout, /✗ dead letters: 1/);
  assert.match(stdout, /✓ stores: originals, catalog and indexes agree/);
  assert.doesNotMatch((await run("doctor", "--quick")).stdout, /stores/);
});

test("a dead letter is shown with all that is known of it, its content only when asked for", async () => {
  const [id = ""] = (await run("dead-letters", "list")).stdout.split(" ");
  const { stdout } = await run("dead-letters", "show", id);
  assert.match(stdout, /^document +.*broken\.pdf$/m);
  assert.match(stdout, /^stage +parse$/m);
  assert.match(stdout, /^reason +HW_DOCUMENT_\w+$/m);
  assert.doesNotMatch(stdout, /not really a document/);
  assert.match((await run("dead-letters", "show", id, "--content")).stdout, /not really a document/);
  const [letter] = jsonLines((await run("dead-letters", "show", id, "--json")).stdout);
  assert.deepEqual([letter?.["sizeBytes"], letter?.["contentBase64"]], [30, undefined]);
  const unknown = await run("dead-letters", "show", "0000000000009999");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /HW_DEAD_LETTER_NOT_FOUND/);
});

test("reindex makes everything anew and nothing is lost", async () => {
  assert.match((await run("reindex", "--status")).stdout, /there is nothing to undo/);
  const { code, stdout } = await run("reindex", "--json");
  assert.equal(code, 0, stdout);
  assert.equal((await run("search", "groundwater")).code, 0);
});

test("a reindex is undone, and finished, at a word", async () => {
  assert.match((await run("reindex", "--status")).stdout, /^The new generation serves\./);
  const undone = await run("reindex", "--undo");
  assert.equal(undone.code, 0, undone.stderr);
  assert.equal((await run("search", "groundwater")).code, 0);
  const finished = await run("reindex", "--finish");
  assert.equal(finished.code, 0, finished.stderr);
  const nothing = await run("reindex", "--undo");
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /HW_REINDEX_NOTHING_TO_UNDO/);
  assert.equal((await run("search", "groundwater")).code, 0);
  assert.equal((await run("reindex", "--undo", "--finish")).code, 2);
});

test("wrong usage exits with 2, a server that is not there with 3", async () => {
  assert.equal((await run("search", "x", "--top", "0")).code, 2);
  assert.equal((await run("ingest", join(files, "nothing-here"))).code, 2);
  assert.equal((await run("nonsense")).code, 2);
  const unreachable = await run("status", "--server", "http://127.0.0.1:9");
  assert.equal(unreachable.code, 3);
  assert.match(unreachable.stderr, /HW_SERVICE_UNAVAILABLE/);
});

test("a second `up` on the same folder is refused with a clear word", async () => {
  const second = await runHeadwater(["up"], { environment: { HEADWATER_DATA_DIR: dataFolder } });
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`in use by another Headwater \\(process ${headwater.pid}\\)`));
});

test("every wrong setting is told at once", async () => {
  const { code, stderr } = await runHeadwater(["up"], {
    environment: {
      HEADWATER_DATA_DIR: join(folder, "other"),
      HEADWATER_SEARCH_FUSION: "sum",
      HEADWATER_INGEST_LISTEN: "nowhere",
    },
  });
  assert.equal(code, 2);
  assert.match(stderr, /HEADWATER_SEARCH_FUSION="sum": allowed: min-max, rrf/);
  assert.match(stderr, /HEADWATER_INGEST_LISTEN="nowhere": not of the form host:port/);
});

test("Ctrl-C ends it within ten seconds, and what was there is there after the next start", async () => {
  const started = performance.now();
  assert.equal(await headwater.stop("SIGINT"), 0);
  assert(performance.now() - started < 10_000);
  headwater = await startHeadwater(dataFolder);
  assert.equal((await run("search", "groundwater")).code, 0);
});

test("an address that is taken ends `up` with a clear word, and leaves nothing running", async () => {
  const taken = headwater.address("metrics");
  const { code, stderr } = await runHeadwater(["up"], {
    environment: { ...ownEnvironment(join(folder, "another")), HEADWATER_METRICS_ADDRESS: taken },
  });
  assert.equal(code, 1);
  assert.match(stderr, /HW_ADDRESS_IN_USE/);
});
