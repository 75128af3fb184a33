import assert from "node:assert/strict";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder } from "@headwater/testing";
import type { QdrantDouble } from "./qdrant-double.ts";
import { startQdrantDouble } from "./qdrant-double.ts";

const double = await startQdrantDouble();
after(() => double.stop());

interface Answer {
  readonly code: number;
  readonly result: unknown;
  readonly error: string | undefined;
}

async function ask(method: string, path: string, body?: unknown, on = double): Promise<Answer> {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${on.url}/${path}`, { method, ...(body !== undefined && { body: sent }) });
  const { result, status } = (await response.json()) as { result?: unknown; status: { error?: string } };
  return { code: response.status, result, error: status.error };
}

const vectors = { size: 2, distance: "Cosine" };
let collections = 0;

/** A collection of its own with points 0 to 4 of two tenants. */
async function prepare(on: QdrantDouble = double): Promise<string> {
  collections += 1;
  const path = `collections/c${collections}`;
  await ask("PUT", path, { vectors }, on);
  await ask("PUT", `${path}/index?wait=true`, { field_name: "tenant", field_schema: "keyword" }, on);
  const points = [0, 1, 2, 3, 4].map((id) => ({
    ...{ id, vector: [1, id], payload: { tenant: id % 2 ? "odd" : "even" } },
  }));
  assert.equal((await ask("PUT", `${path}/points?wait=true`, { points }, on)).code, 200);
  return path;
}

function tenantIs(value: string) {
  return { must: [{ key: "tenant", match: { value } }] };
}

test("what the API does not have is refused, in Qdrant's envelope", async () => {
  const path = await prepare();
  const cases: [method: string, path: string, body: unknown, code: number, error: RegExp][] = [
    ["GET", "collections/none", undefined, 404, /^Not found: Collection `none` doesn't exist!$/],
    ["PUT", path, { vectors }, 409, /already exists/],
    ["PUT", "collections/a*b", { vectors }, 422, /path parameters/],
    ["PUT", "collections/x", {}, 400, /missing field `vectors`/],
    ["PUT", "collections/x", { vectors: { ...vectors, memory: "pinned" } }, 400, /unknown field `memory`/],
    ["PUT", "collections/x", { vectors: { ...vectors, size: 0 } }, 422, /size: value 0 invalid/],
    ["PUT", "collections/x", { vectors, hnsw_config: { ef_construct: 3 } }, 422, /ef_construct/],
    [
      ...(["PUT", "collections/x"] as const),
      { vectors, quantization_config: { scalar: { type: "int8", quantile: 2 } } },
      ...([422, /quantile/] as const),
    ],
    ["PUT", `${path}/points`, { points: [{ id: "a", vector: [1, 1] }] }, 400, /not a valid point ID/],
    ["PUT", `${path}/points`, { points: [{ id: 1, vector: [1] }] }, 400, /expected dim: 2, got 1/],
    ["PUT", `${path}/points`, { points: [{ id: 1, vector: ["1"] }] }, 400, /expected a number/],
    [
      "PUT",
      `${path}/points`,
      '{"points":[{"id":1,"vector":[1,1],"payload":{"a":"\\ud83d"}}]}',
      400,
      /surrogate/,
    ],
    ["PUT", `${path}/points?wait=yes`, { points: [] }, 400, /query parameters: wait/],
    ["PUT", `${path}/points?wat=true`, { points: [] }, 400, /query parameters: wat/],
    ["PUT", `${path}/points`, "{", 400, /Format error in JSON body/],
    ["PUT", `${path}/points`, `"${"x".repeat(33 * 1024 * 1024)}"`, 413, /larger than allowed/],
    ["POST", `${path}/points/query`, { query: [1, 1], limit: 0 }, 422, /limit: value 0 invalid/],
    ["POST", `${path}/points/query?timeout=0`, { query: [1, 1] }, 400, /timeout/],
    ["POST", `${path}/points/query`, { query: [1, 1], filter: { must: [] } }, 400, /has conditions/],
    [
      ...(["POST", `${path}/points/count`] as const),
      { filter: { must: [{ key: "other", match: { value: "x" } }] } },
      ...([400, /^Bad request: Index required but not found for "other"/] as const),
    ],
    [
      ...(["POST", `${path}/points/delete`] as const),
      { filter: { must: [{ key: "tenant", match: { value: 1 } }] } },
      ...([400, /of one of the following types: \[integer\]/] as const),
    ],
    ["POST", `${path}/points/payload`, { payload: { a: 1 } }, 400, /missing field `points`/],
    [
      "POST",
      `${path}/points/payload`,
      { payload: { a: 1 }, points: [0, 9] },
      404,
      /No point with id 9 found/,
    ],
    [
      ...(["POST", "collections/aliases"] as const),
      { actions: [{ create_alias: { alias_name: "a", collection_name: "none" } }] },
      ...([404, /`none` doesn't exist/] as const),
    ],
    ["PUT", `${path}/nothing`, {}, 404, /^$/],
  ];
  for (const [method, where, body, code, error] of cases) {
    const answer = await ask(method, where, body);
    assert.equal(answer.code, code, `${method} ${where}: ${answer.error}`);
    assert.match(answer.error ?? "none", error);
  }
});

test("a write that nobody waits for is applied later, and before the next one", async () => {
  const slow = await startQdrantDouble({ queueMs: 3_600_000 });
  after(() => slow.stop());
  const path = await prepare(slow);
  const count = async () => (await ask("POST", `${path}/points/count`, {}, slow)).result;
  const taken = await ask("POST", `${path}/points/delete`, { filter: tenantIs("odd") }, slow);
  assert.deepEqual((taken.result as { status: string }).status, "acknowledged");
  assert.deepEqual(await count(), { count: 5 });
  const points = [{ id: 1, vector: [1, 1], payload: { tenant: "odd" } }];
  const applied = await ask("PUT", `${path}/points?wait=true`, { points }, slow);
  assert.deepEqual((applied.result as { status: string }).status, "completed");
  assert.deepEqual(await count(), { count: 4 });
});

test("a write that nobody waits for is applied by itself", async () => {
  const path = await prepare();
  await ask("POST", `${path}/points/delete`, { filter: tenantIs("odd") });
  for (let left = 5; left !== 3; await delay(5))
    left = ((await ask("POST", `${path}/points/count`, {})).result as { count: number }).count;
});

test("a payload that is set is merged, and the index follows it", async () => {
  const path = await prepare();
  await ask("POST", `${path}/points/payload?wait=true`, { payload: { tenant: "new", a: 1 }, points: [1] });
  await ask("POST", `${path}/points/payload?wait=true`, { payload: { b: 2 }, filter: tenantIs("new") });
  const { result } = await ask("POST", `${path}/points/scroll`, { filter: tenantIs("new") });
  assert.deepEqual(result, {
    points: [{ id: 1, payload: { tenant: "new", a: 1, b: 2 } }],
    next_page_offset: null,
  });
  const odd = await ask("POST", `${path}/points/count`, { filter: tenantIs("odd") });
  assert.deepEqual(odd.result, { count: 1 });
});

test("scrolling pages through the points in order of their ids", async () => {
  const path = await prepare();
  const uuid = "0000000a-0000-8000-8000-00000000000F";
  await ask("PUT", `${path}/points?wait=true`, { points: [{ id: uuid, vector: [1, 0] }] });
  const seen: unknown[] = [];
  for (let offset: unknown = 0; offset !== null; ) {
    const { result } = await ask("POST", `${path}/points/scroll`, { offset, limit: 2, with_payload: false });
    const page = result as { points: { id: unknown }[]; next_page_offset: unknown };
    seen.push(page.points);
    offset = page.next_page_offset;
  }
  assert.deepEqual(seen, [
    [{ id: 0 }, { id: 1 }],
    [{ id: 2 }, { id: 3 }],
    [{ id: 4 }, { id: uuid.toLowerCase() }],
  ]);
});

test("a search gives cosines of vectors of any length, best first", async () => {
  const path = await prepare();
  const { result } = await ask("POST", `${path}/points/query`, {
    ...{ query: [0, 3], filter: tenantIs("even"), limit: 2, with_vector: true, with_payload: ["tenant"] },
  });
  const { points } = result as { points: { id: number; score: number; vector: number[]; payload: object }[] };
  assert.deepEqual(
    points.map(({ id, score, payload }) => [id, Math.round(score * 1e4) / 1e4, payload]),
    [
      [4, 0.9701, { tenant: "even" }],
      [2, 0.8944, { tenant: "even" }],
    ],
  );
  assert.deepEqual(
    points[0]?.vector.map((value) => Math.round(value * 1e4) / 1e4),
    [0.2425, 0.9701],
  );
});

test("an alias is moved in one request, answers as its collection, and goes with it", async () => {
  const [first, second] = [await prepare(), await prepare()];
  const names = [first, second].map((path) => path.split("/")[1] ?? "");
  const move = (collection_name: string) =>
    ask("POST", "collections/aliases", {
      actions: [
        { delete_alias: { alias_name: "serving" } },
        { create_alias: { alias_name: "serving", collection_name } },
      ],
    });
  for (const name of names) assert.equal((await move(name)).code, 200);
  assert.deepEqual((await ask("GET", "aliases")).result, {
    aliases: [{ alias_name: "serving", collection_name: names[1] }],
  });
  assert.deepEqual((await ask("POST", "collections/serving/points/count", {})).result, { count: 5 });
  assert.equal((await ask("PUT", "collections/serving", { vectors })).code, 400);
  assert.equal((await ask("DELETE", second)).result, true);
  assert.equal((await ask("DELETE", second)).result, false);
  assert.deepEqual((await ask("GET", "aliases")).result, { aliases: [] });
});

test("a journal brings back what was answered, and a line that was cut off is passed over", async () => {
  const journal = join(await temporaryFolder(), "journal.jsonl");
  const writer = await startQdrantDouble({ journal });
  const path = await prepare(writer);
  await ask("POST", `${path}/points/delete`, { points: [0] }, writer);
  await writer.stop();
  await appendFile(journal, '{"method":"PUT","pa');
  for (const expected of [4, 3]) {
    const reader = await startQdrantDouble({ journal });
    assert.deepEqual((await ask("POST", `${path}/points/count`, {}, reader)).result, { count: expected });
    await ask("POST", `${path}/points/delete?wait=true`, { points: [expected] }, reader);
    await reader.stop();
  }
  assert.equal((await readFile(journal, "utf8")).split("\n").length, 7);
});
