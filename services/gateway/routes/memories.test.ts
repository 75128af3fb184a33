import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture();

interface Memories {
  memories: { id: string; text: string; similarity: number }[];
}

test("a statement is remembered once, found, corrected and forgotten", async () => {
  const remember = async () => {
    const response = await fixture.send(
      "POST",
      "/api/v1/memories",
      { statement: "Ada likes tides." },
      { "x-headwater-owner": "ada" },
    );
    return (await response.json()) as { action: string; memory_id: string; surprise: number; parts: object };
  };
  const stored = await remember();
  assert.deepEqual([stored.action, stored.surprise, stored.parts], ["stored", 0.9, { distance: 0.8 }]);
  assert.equal(fixture.doubles.seen.owner, "ada");
  assert.deepEqual(await remember(), { ...stored, action: "repeated" });
  const search = await fixture.send("POST", "/api/v1/memories/search", { query: "what does Ada like?" });
  assert.equal(((await search.json()) as Memories).memories[0]?.similarity, 0.5);
  const path = `/api/v1/memories/${stored.memory_id}`;
  const corrected = await fixture.send("PUT", path, { text: "Ada likes ebb." });
  assert.equal(((await corrected.json()) as { text: string }).text, "Ada likes ebb.");
  const list = async () =>
    ((await (await fetch(fixture.url("/api/v1/memories"))).json()) as Memories).memories.length;
  assert.equal(await list(), 1);
  assert.equal((await fixture.send("DELETE", path)).status, 200);
  assert.equal(await list(), 0);
  await remember();
  assert.deepEqual(await (await fixture.send("DELETE", "/api/v1/memories")).json(), { forgotten: 1 });
  assert.equal((await failureOf(await fixture.send("PUT", path, { text: "x" }))).status, 404);
  assert.equal(
    (await failureOf(await fixture.send("POST", "/api/v1/memories", { statement: "" }))).status,
    400,
  );
});
