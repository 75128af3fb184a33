import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture();

test("feedback is given, listed, exported as an evaluation set, and taken back", async () => {
  const response = await fixture.send(
    "POST",
    "/api/v1/feedback",
    {
      answer_id: "answer-1",
      question: "when?",
      rating: "down",
      correction: "At new moon.",
      prompt: { name: "answer", version: 3 },
    },
    { "x-headwater-owner": "ada" },
  );
  assert.equal(response.status, 201);
  const given = (await response.json()) as { id: string; owner: string; rating: string; prompt: object };
  assert.deepEqual(
    [given.owner, given.rating, given.prompt],
    ["ada", "down", { name: "answer", version: 3 }],
  );
  const of = async (answer: string) => {
    const page = await fetch(fixture.url(`/api/v1/feedback?answer_id=${answer}`));
    return ((await page.json()) as { feedback: unknown[] }).feedback;
  };
  assert.deepEqual([await of("answer-1"), await of("answer-2")], [[given], []]);
  const exported = await fetch(fixture.url("/api/v1/feedback/export"));
  assert.match(exported.headers.get("content-type") ?? "", /^application\/x-ndjson/);
  assert.deepEqual(JSON.parse((await exported.text()).trim()), {
    file: "queries.jsonl",
    line: JSON.stringify({ _id: given.id, text: "when?" }),
  });
  assert.equal((await fixture.send("DELETE", `/api/v1/feedback/${given.id}`)).status, 200);
  assert.deepEqual(await of("answer-1"), []);
});

test("feedback that cannot be is refused", async () => {
  for (const body of [
    {},
    { question: "" },
    { question: "a", rating: "great" },
    { question: "a", id: "mine" },
  ])
    assert.equal((await failureOf(await fixture.send("POST", "/api/v1/feedback", body))).status, 400);
});
