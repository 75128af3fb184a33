import assert from "node:assert/strict";
import { mkdir, open, rename, rm, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder, until } from "@headwater/testing";
import type { Library } from "../librarian/testing/library.ts";
import { startLibrary } from "../librarian/testing/library.ts";
import { openFolder } from "./folder.ts";
import { ignoreRules } from "./ignore-rules.ts";

let library: Library;
let folder: string;

before(async () => {
  library = await startLibrary();
});
after(() => library.close());
beforeEach(async () => {
  for (const id of Object.keys(await library.texts())) await library.client.documents.delete(id);
  folder = join(await temporaryFolder(), "notes");
  await mkdir(join(folder, "deep"), { recursive: true });
  await write("plan.md", "the plan");
  await write("deep/river.txt", "the river");
});

const write = (path: string, text: string) => writeFile(join(folder, path), text);
const source = (...ignore: string[]) => openFolder(folder, { ignore: ignoreRules(ignore) });

async function once(...ignore: string[]): Promise<void> {
  await library.hire().librarian.once(await source(...ignore));
}

test("what is there is sent, and the next time only what has changed, been added, or gone", async () => {
  await once();
  assert.deepEqual(library.take("sent"), ["notes/deep/river.txt", "notes/plan.md"]);
  assert.deepEqual(await library.texts(), {
    "notes/deep/river.txt": "the river",
    "notes/plan.md": "the plan",
  });
  const { uri, attributes } = await library.client.documents.get("notes/plan.md");
  assert.match(uri, /^file:\/\/\/.*\/notes\/plan\.md$/);
  assert.match(attributes["source"] ?? "", /^file:\/\/\/.*\/notes$/);
  await once();
  assert.deepEqual(library.take("sent"), []);
  await write("plan.md", "the other plan");
  await write("new.md", "new");
  await unlink(join(folder, "deep/river.txt"));
  await once();
  assert.deepEqual(await library.texts(), { "notes/new.md": "new", "notes/plan.md": "the other plan" });
  assert.deepEqual(library.take("sent"), ["notes/new.md", "notes/plan.md"]);
});

test("a file that was touched is not sent again; one of the same size with another content is", async () => {
  await once();
  library.take("sent");
  await utimes(join(folder, "plan.md"), new Date(), new Date(1_000_000));
  await once();
  assert.deepEqual(library.take("sent"), []);
  await write("plan.md", "the PLAN");
  await once();
  assert.deepEqual(library.take("sent"), ["notes/plan.md"]);
});

test("hidden files, node_modules and what patterns name are passed over", async () => {
  for (const path of [".git", "node_modules/a", "drafts", "deep/drafts"])
    await mkdir(join(folder, path), { recursive: true });
  for (const path of [
    ".git/config",
    "deep/.hidden.md",
    "node_modules/a/index.js",
    "drafts/a.md",
    "deep/drafts/b.md",
    "deep/c.tmp",
    "kept.tmp",
  ])
    await write(path, path);
  await once("*.tmp", "drafts/", "!kept.tmp");
  assert.deepEqual(Object.keys(await library.texts()), [
    "notes/deep/river.txt",
    "notes/kept.tmp",
    "notes/plan.md",
  ]);
});

test("documents that others sent with ids of the folder are kept", async () => {
  const others = [{ id: "notes/by-hand.md", content: "by hand" }];
  for await (const _ of library.client.documents.push(others));
  await once();
  await unlink(join(folder, "plan.md"));
  await once();
  assert.deepEqual(Object.keys(await library.texts()).sort(), ["notes/by-hand.md", "notes/deep/river.txt"]);
});

test("images are told of, once, and not sent", async () => {
  await write("scan.JPG", "an image");
  const { librarian } = library.hire();
  library.take("needs_ocr");
  const folderSource = await source();
  await librarian.once(folderSource);
  await librarian.once(folderSource);
  assert.deepEqual(library.take("needs_ocr"), ["notes/scan.JPG"]);
  assert.deepEqual(Object.keys(await library.texts()), ["notes/deep/river.txt", "notes/plan.md"]);
});

test("a folder in which nothing is left is taken for a disk that is away: its documents are kept", async () => {
  await once();
  await rm(join(folder, "deep"), { recursive: true });
  await unlink(join(folder, "plan.md"));
  await once();
  assert.deepEqual(Object.keys(await library.texts()), ["notes/deep/river.txt", "notes/plan.md"]);
  assert.equal(library.told.findLast(({ type }) => type === "kept")?.["documents"], 2);
});

test("a path that is no folder is told", async () => {
  const options = { ignore: ignoreRules([]) };
  await assert.rejects(openFolder(join(folder, "nowhere"), options), { reason: "HW_FOLDER_NOT_FOUND" });
  await assert.rejects(openFolder(join(folder, "plan.md"), options), { reason: "HW_FOLDER_NOT_FOUND" });
});

/** Follows the folder while `work` changes it. */
async function following(work: () => Promise<void>, pollSeconds?: number): Promise<void> {
  const leaving = new AbortController();
  const folderSource = await openFolder(folder, { ignore: ignoreRules(["*.tmp"]), pollSeconds });
  const running = library.hire(leaving).librarian.follow(folderSource);
  const ended = assert.rejects(running, { name: "AbortError" });
  try {
    await until("the folder is compared", async () => "notes/plan.md" in (await library.texts()));
    await work();
  } finally {
    leaving.abort();
    await ended;
  }
}

const arrives = (what: Record<string, string>) =>
  until(`there is ${JSON.stringify(what)}`, async () => {
    const texts = await library.texts();
    return JSON.stringify(Object.entries(texts).sort()) === JSON.stringify(Object.entries(what).sort());
  });

test("what is written, changed, renamed and deleted while the folder is followed arrives", () =>
  following(async () => {
    await write("new.md", "new");
    await write("half.tmp", "not meant");
    await arrives({
      "notes/deep/river.txt": "the river",
      "notes/plan.md": "the plan",
      "notes/new.md": "new",
    });
    await write("plan.md", "the other plan");
    await rename(join(folder, "deep"), join(folder, "depth"));
    await unlink(join(folder, "new.md"));
    await arrives({ "notes/depth/river.txt": "the river", "notes/plan.md": "the other plan" });
  }));

test("a folder whose system tells of nothing is looked at", () =>
  following(async () => {
    await write("new.md", "new");
    await arrives({
      "notes/deep/river.txt": "the river",
      "notes/plan.md": "the plan",
      "notes/new.md": "new",
    });
  }, 1));

test("a file that is written slowly is sent when it is written in full", () =>
  following(async () => {
    library.take("sent");
    const file = await open(join(folder, "slow.txt"), "w");
    for (let piece = 0; piece < 10; piece += 1) {
      await file.write("piece ");
      await delay(200);
    }
    await file.close();
    await until("it is there", async () => (await library.texts())["notes/slow.txt"] === "piece ".repeat(10));
    // Once, but on a machine that stops for a second now and then.
    assert(library.take("sent").length < 5);
  }));

test("what changes while the service is away arrives when it is back", () =>
  following(async () => {
    await library.way.cut();
    await write("new.md", "new");
    await unlink(join(folder, "plan.md"));
    // So long that it has been tried, and has failed.
    await delay(2500);
    await library.way.restore();
    await arrives({ "notes/deep/river.txt": "the river", "notes/new.md": "new" });
  }));

test("a folder that goes away ends it, and its documents stay", async () => {
  const leaving = new AbortController();
  const running = library.hire(leaving).librarian.follow(await source());
  const ended = assert.rejects(running, { reason: "HW_FOLDER_NOT_FOUND" });
  await until("the folder is compared", async () => "notes/plan.md" in (await library.texts()));
  // In one step, as a disk is unmounted: file by file it could not be told from deletions.
  await rename(folder, `${folder}-elsewhere`);
  await ended;
  assert.deepEqual(Object.keys(await library.texts()), ["notes/deep/river.txt", "notes/plan.md"]);
});

test("a folder that is emptied first and then goes away ends it, and is not waited for", async () => {
  const leaving = new AbortController();
  const running = library.hire(leaving).librarian.follow(await source());
  const ended = assert.rejects(running, { reason: "HW_FOLDER_NOT_FOUND" });
  await until("the folder is compared", async () => "notes/plan.md" in (await library.texts()));
  await unlink(join(folder, "plan.md"));
  await unlink(join(folder, "deep/river.txt"));
  await until("the deletions arrive", async () => Object.keys(await library.texts()).length === 0);
  await rm(folder, { recursive: true });
  await ended;
});
