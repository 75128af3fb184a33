import assert from "node:assert/strict";
import { afterEach, describe, test } from "node:test";
import { inspect } from "node:util";
import { HeadwaterError, status } from "@headwater/errors";
import { sendBulk } from "./elastic-bulk.ts";
import { ElasticEngine } from "./elastic-engine.ts";
import type { ElasticAnswer } from "./testing/scripted-elastic.ts";
import { ScriptedElastic } from "./testing/scripted-elastic.ts";

const started: ScriptedElastic[] = [];
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop();
});

async function start(answer: Parameters<typeof ScriptedElastic.start>[0]): Promise<ScriptedElastic> {
  const elastic = await ScriptedElastic.start(answer);
  started.push(elastic);
  return elastic;
}

function operations(...names: string[]) {
  return names.map((_id) => ({ action: { index: { _id } }, source: { text: `text of ${_id}` } }));
}

function send({ connection }: ScriptedElastic, names: string[], maxBytes = 1000) {
  return sendBulk(connection, operations(...names), { index: "i.write", maxBytes, refresh: true });
}

/** One item for each operation, with the status that its name is given. */
function items(lines: readonly string[], statusOf: (name: string) => number): ElasticAnswer {
  const names = lines.flatMap((line) => (JSON.parse(line) as { index?: { _id: string } }).index?._id ?? []);
  return {
    body: {
      items: names.map((_id) => {
        const http = statusOf(_id);
        const error = { type: "mapper_parsing_exception", reason: `no number: 'here is the text of ${_id}'` };
        return { index: { _id, status: http, ...(http < 300 ? {} : { error }) } };
      }),
    },
  };
}

describe("bulk writes to Elasticsearch", () => {
  test("go in as few requests as their bytes allow, and one that is too large goes alone", async () => {
    const elastic = await start(({ lines }) => items(lines, () => 201));
    const long = "x".repeat(300);
    assert.deepEqual(await send(elastic, ["a", "b", "c", long, "d"], 120), [201, 201, 201, 201, 201]);
    const sizes = elastic.requests.map(({ lines }) => lines.length / 2);
    assert.deepEqual(sizes, [2, 1, 1, 1]);
    assert(elastic.requests.every(({ path }) => path.includes("require_alias=true")));
  });

  test("what there was no room for is sent again, and only that", async () => {
    const elastic = await start(({ lines }, number) =>
      items(lines, (name) => (name === "b" && number < 3 ? 429 : 201)),
    );
    assert.deepEqual(await send(elastic, ["a", "b", "c"]), [201, 201, 201]);
    assert.deepEqual(
      elastic.requests.map(({ lines }) => lines.length / 2),
      [3, 1, 1],
    );
  });

  test("a document that is refused for good is to blame, and its text is not told", async () => {
    const elastic = await start(({ lines }) => items(lines, (name) => (name === "b" ? 400 : 201)));
    const thrown = await send(elastic, ["a", "b"]).then(
      () => assert.fail("it was taken"),
      HeadwaterError.from,
    );
    assert.deepEqual(
      [thrown.code, thrown.reason, thrown.message],
      [
        status.INVALID_ARGUMENT,
        "HW_ELASTICSEARCH_REFUSED",
        "Elasticsearch refused it with 400 (mapper_parsing_exception).",
      ],
    );
    assert.doesNotMatch(inspect(thrown, { depth: 9 }), /text of/);
  });

  test("nobody is to blame while a part of the server is down", async () => {
    const elastic = await start(({ lines }) => items(lines, (name) => (name === "a" ? 400 : 503)));
    await assert.rejects(send(elastic, ["a", "b"]), { code: status.UNAVAILABLE });
  });

  test("something else that was there is no error", async () => {
    const elastic = await start(({ lines }) => items(lines, (name) => (name === "a" ? 409 : 200)));
    assert.deepEqual(await send(elastic, ["a", "b"]), [409, 200]);
  });

  test("answers to a whole request are told apart", async () => {
    const cases: [number, string, object][] = [
      [401, "security_exception", { code: status.UNAVAILABLE }],
      [403, "cluster_block_exception", { code: status.UNAVAILABLE }],
      [404, "index_not_found_exception", { code: status.ABORTED, reason: "HW_INDEX_GENERATION_GONE" }],
      [413, "", { code: status.INVALID_ARGUMENT }],
      [429, "es_rejected_execution_exception", { code: status.RESOURCE_EXHAUSTED }],
      [503, "", { code: status.UNAVAILABLE, reason: "HW_ELASTICSEARCH_UNAVAILABLE" }],
    ];
    for (const [http, type, expected] of cases) {
      const elastic = await start(() => ({ status: http, body: { error: { type }, status: http } }));
      await assert.rejects(send(elastic, ["a"]), expected, String(http));
    }
  });

  test("a search whose caller leaves is cut off", async () => {
    const arrived = Promise.withResolvers<void>();
    const elastic = await start(() => {
      arrived.resolve();
      return undefined;
    });
    const engine = new ElasticEngine(elastic.connection, elastic.options, {
      ...{ generation: "g", fingerprint: { model: "m", chunking: "c" }, dimensions: 1 },
    });
    const left = new AbortController();
    const search = engine.search("x", { tenant: "t" }, 1, left.signal);
    await arrived.promise;
    left.abort();
    await assert.rejects(search, { name: "AbortError" });
  });
});
