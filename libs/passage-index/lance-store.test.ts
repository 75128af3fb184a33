import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder, until } from "@headwater/testing";
import { passageIndexConformance } from "./conformance.ts";
import { dimensions, sample, vectorOf } from "./conformance-documents.ts";
import { openLancePassageIndexStore } from "./lance-store.ts";

/** Where Linux lists the open files of this process. */
const descriptors = "/proc/self/fd";
const root = await temporaryFolder();
const filter = { tenant: "default" };

passageIndexConformance("LanceDB", (place) => openLancePassageIndexStore({ folder: join(root, place) }));

describe("the LanceDB passage index", () => {
  test("an ANN index finds what a scan finds, and rows that it does not cover yet", async () => {
    const store = await openLancePassageIndexStore({ folder: join(root, "ann"), minRowsForVectorIndex: 500 });
    const index = await store.create({ model: "m", chunking: "c" }, dimensions);
    const documents = Array.from({ length: 800 }, (_, at) => ({
      id: `d${at}`,
      texts: [`wing ${at}`],
      vector: Array.from({ length: dimensions }, (_, axis) => Math.sin((at + 1) * (axis + 1) * 0.37)),
      attributes: { tenth: String(at % 10) },
    }));
    await index.replace(documents.map(sample));
    const query = vectorOf("some query");
    const narrow = { ...filter, attributes: [{ key: "tenth", values: ["3"] }] };
    const search = async () => {
      const found = [
        await index.searchVector(query, filter, 20),
        await index.searchVector(query, narrow, 20),
      ];
      return found.map((hits) => hits.map(({ passage, score }) => [passage.id, Math.round(score * 1e4)]));
    };
    const exact = await search();
    await index.optimize();
    const approximate = await search();
    for (const [at, expected] of exact.entries()) {
      const known = new Set(expected.map(([id]) => id));
      const recalled = approximate[at]?.filter(([id]) => known.has(id)).length ?? 0;
      assert(recalled >= 19, `${recalled} of 20`);
      assert.equal(approximate[at]?.length, 20);
    }
    // Scores are those of the vectors themselves, not of what the ANN index keeps of them.
    assert.deepEqual(approximate[0]?.[0], exact[0]?.[0]);
    await index.replace([sample({ id: "late", texts: ["x"], vector: [...query] })]);
    await index.remove([{ tenant: "default", documentId: String(exact[0]?.[0]?.[0]).split("/")[1] ?? "" }]);
    const [first] = await index.searchVector(query, filter, 20);
    assert.equal(first?.passage.documentId, "late");
    const after = await index.searchVector(query, filter, 20);
    assert(!after.some(({ passage }) => passage.id === exact[0]?.[0]?.[0]));
    await store.close();
  });

  test("a store that was opened for reading refuses writes", async () => {
    const folder = join(root, "read-only");
    const writer = await openLancePassageIndexStore({ folder });
    const index = await writer.create({ model: "m", chunking: "c" }, dimensions);
    await writer.activate(index);
    const reader = await openLancePassageIndexStore({ folder, readOnly: true });
    const seen = await reader.active();
    assert(seen);
    const refused = { reason: "HW_INDEX_READ_ONLY" };
    await assert.rejects(seen.replace([sample({ id: "a", texts: ["x"] })]), refused);
    await assert.rejects(seen.remove([{ tenant: "default", documentId: "a" }]), refused);
    await assert.rejects(seen.optimize(), refused);
    await assert.rejects(reader.create({ model: "m", chunking: "c" }, 4), refused);
    await assert.rejects(reader.activate(seen), refused);
    await assert.rejects(reader.dropInactive(), refused);
    await reader.close();
    await writer.close();
  });

  test("files of former indexes are let go in the middle of searches and housekeeping", async (context) => {
    if (!existsSync(descriptors)) return context.skip("the system does not list a process's open files");
    const folder = join(root, "renewed");
    const writer = await openLancePassageIndexStore({ folder, versionsPerSession: 40 });
    await writer.activate(await writer.create({ model: "m", chunking: "c" }, dimensions));
    const reader = await openLancePassageIndexStore({ folder, readOnly: true, versionsPerSession: 40 });
    let most = 0;
    let documents = 0;
    await until("half of the open files are let go", async () => {
      const [written, read] = [await writer.active(), await reader.active()];
      assert(written && read);
      const documentId = `d${documents}`;
      documents += 1;
      await written.replace([sample({ id: documentId, texts: [`wing ${documentId}`] })]);
      const searched = read.searchLexical(documentId, filter, 1);
      const [found] = await Promise.all([searched, written.optimize()]);
      assert.equal(found[0]?.passage.documentId, documentId);
      const open = openFiles(folder);
      most = Math.max(most, open);
      return open < most / 2;
    });
    await reader.close();
    await writer.close();
  });

  test("kill -9 at any moment leaves each document whole and once", { timeout: 60_000 }, async () => {
    const folder = join(root, "killed");
    const store = await openLancePassageIndexStore({ folder });
    await store.activate(await store.create({ model: "m", chunking: "c" }, dimensions));
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < 8; round += 1) {
      const child = fork(join(import.meta.dirname, "testing/endless-writer.ts"), [folder, String(round)]);
      const ready = once(child, "message");
      child.on("message", (message) => {
        const { id, version } = message as { id: string; version: number };
        acknowledged.set(id, version);
      });
      await ready;
      await delay(20 + 37 * round);
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
      const index = await store.active();
      assert(index);
      const listed = await Array.fromAsync(index.listDocuments());
      const ids = new Set(listed.map(({ documentId }) => documentId));
      assert.equal(ids.size, listed.length, "a document is there in two versions");
      for (const { documentId, version, lexicalPassages } of listed)
        assert.equal(lexicalPassages, 1 + (version % 4), `${documentId} version ${version}`);
      for (const [id, version] of acknowledged) {
        const found = listed.find(({ documentId }) => documentId === id);
        assert(
          found && found.version >= version,
          `${id}: ${found?.version} after ${version} was acknowledged`,
        );
      }
      const hits = await index.searchLexical("wing", filter, 1000);
      assert.equal(hits.length, await index.count());
    }
    assert(acknowledged.size > 0);
    const index = await store.active();
    await index?.optimize();
    assert.equal((await index?.searchVector(vectorOf("wing"), filter, 1000))?.length, await index?.count());
    await store.close();
  });
});

function openFiles(folder: string): number {
  return readdirSync(descriptors).filter((descriptor) => {
    try {
      return readlinkSync(join(descriptors, descriptor)).startsWith(folder);
    } catch {
      // Closed since it was listed.
      return false;
    }
  }).length;
}
