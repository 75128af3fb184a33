import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { openBeirCollection } from "./index.ts";

const root = await temporaryFolder();

async function collection(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(root, name);
  await mkdir(join(folder, "qrels"), { recursive: true });
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  return folder;
}

const corpus = '{"_id":"d1","title":"T","text":"one"}\r\n\n{"_id":2,"text":"two"}\n';
const queries = '\uFEFF{"_id":"q1","text":"first"}\n{"_id":"q2","text":"not judged"}\n';

test("documents, judged queries and judgements are read", async () => {
  const folder = await collection("good", {
    "corpus.jsonl": corpus,
    "queries.jsonl": queries,
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\t2\t0\n",
    "qrels/train.tsv": "q2\td1\t1\n",
  });
  const opened = await openBeirCollection(folder);
  assert.deepEqual([opened.name, opened.split], ["good", "test"]);
  assert.deepEqual(opened.queries, [{ id: "q1", text: "first" }]);
  assert.deepEqual(
    [...(opened.judgements.get("q1") ?? [])],
    [
      ["d1", 2],
      ["2", 0],
    ],
  );
  assert.deepEqual(await Array.fromAsync(opened.documents()), [
    { id: "d1", title: "T", text: "one" },
    { id: "2", title: "", text: "two" },
  ]);
  assert.deepEqual((await openBeirCollection(folder, "train")).queries, [{ id: "q2", text: "not judged" }]);
});

test("a mistake is told with its file and line", async () => {
  const folder = await collection("bad", {
    "corpus.jsonl": '{"_id":"d1","text":"one"}\n{"_id":"d2"}\n',
    "queries.jsonl": queries,
    "qrels/test.tsv": "q1\td1\t1\n",
  });
  const opened = await openBeirCollection(folder);
  await assert.rejects(Array.fromAsync(opened.documents()), {
    reason: "HW_COLLECTION_INVALID",
    message: `Not a BEIR collection: ${join(folder, "corpus.jsonl")}:2: "text" is not a string.`,
  });
  await writeFile(join(folder, "qrels/test.tsv"), "q1\td1\t1\nq1 d1 1\n");
  await assert.rejects(openBeirCollection(folder), /test\.tsv:2: expected query id/);
  await writeFile(join(folder, "queries.jsonl"), "{nonsense\n");
  await writeFile(join(folder, "qrels/test.tsv"), "q1\td1\t1\n");
  await assert.rejects(openBeirCollection(folder), /queries\.jsonl:1: not JSON/);
});

test("a folder that is no collection is refused", async () => {
  await assert.rejects(openBeirCollection(join(root, "nowhere")), { reason: "HW_COLLECTION_INVALID" });
  await assert.rejects(openBeirCollection(await collection("empty", {})), /one split is needed, found: none/);
});
