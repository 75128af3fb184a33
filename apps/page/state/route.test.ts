import assert from "node:assert/strict";
import { test } from "node:test";
import type { Route } from "./route.ts";
import { formatRoute, homeRoute, parseRoute, plainOptions } from "./route.ts";

function roundTrip(route: Route): Route {
  return parseRoute(formatRoute(route).slice(1));
}

test("a search with all its options, and the document beside it, survive the address", () => {
  const route: Route = {
    ...homeRoute,
    query: "how do 50 % of dams fail? & why",
    options: {
      mediaTypes: ["text/html", "application/pdf"],
      attributes: [
        ["collection", "samples"],
        ["time", "12:30"],
      ],
      fusion: "rrf",
      lexicalWeight: 0.3,
      rerank: false,
      groupByDocument: true,
    },
    document: {
      id: "a folder/ä #1?.md",
      version: 1_763_700_000_000,
      mark: { start: 12, end: 40 },
      page: 3,
      headings: ["Dams", "Spillways"],
    },
  };
  assert.deepEqual(roundTrip(route), route);
});

test("each view keeps what belongs to it and nothing else", () => {
  const everything = {
    ...homeRoute,
    query: "x",
    group: "failed",
    prefix: "a/",
    conversation: "c1",
    agent: "a1",
    prompt: "answer",
    job: "j1",
  } as const;
  assert.equal(formatRoute({ ...everything, view: "ask" }), "/?view=ask&q=x");
  assert.equal(formatRoute({ ...everything, view: "documents" }), "/?view=documents&show=failed&prefix=a%2F");
  assert.equal(formatRoute({ ...everything, view: "chat" }), "/?view=chat&conversation=c1&agent=a1");
  assert.equal(formatRoute({ ...everything, view: "agents" }), "/?view=agents&agent=a1");
  assert.equal(formatRoute({ ...everything, view: "prompts" }), "/?view=prompts&prompt=answer");
  assert.equal(formatRoute({ ...everything, view: "jobs" }), "/?view=jobs&job=j1");
  assert.equal(formatRoute({ ...everything, view: "memory" }), "/?view=memory");
  assert.equal(formatRoute({ ...everything, view: "pipeline" }), "/?view=pipeline");
  assert.equal(formatRoute(homeRoute), "/");
});

test("what an address says wrongly is left at its default", () => {
  const route = parseRoute(
    "?view=nowhere&fusion=x&words=7&attr=none&doc=d&version=-1&mark=9-3&page=x&show=?",
  );
  assert.deepEqual(route, {
    ...homeRoute,
    options: plainOptions,
    document: { id: "d", version: 0, mark: undefined, page: 0, headings: [] },
  });
});
