import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { ReflectionClient } from "../support/reflection-client.ts";
import type { Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

/** For each service one call that needs no documents, and what must come back. */
const calls = [
  {
    name: "embedding-worker",
    service: "headwater.v1.EmbeddingService",
    method: "EmbedQuery",
    request: { text: "where does the river begin" },
    check: (answer: unknown[]) => assert.match(JSON.stringify(answer), /"fingerprint":"[0-9a-f]{8,}/),
  },
  {
    name: "ingest",
    service: "headwater.v1.IngestService",
    method: "Push",
    request: { document: { id: "a", content: Buffer.from("Springs feed the river.") } },
    check: (answer: unknown[]) => assert.match(JSON.stringify(answer), /"id":"a"/),
  },
  {
    name: "search",
    service: "headwater.v1.SearchService",
    method: "Search",
    request: { query: "river" },
    check: (answer: unknown[]) => assert.match(JSON.stringify(answer.at(-1)), /"summary"/),
  },
  {
    name: "generation",
    service: "headwater.v1.GenerationService",
    method: "Answer",
    request: { question: "Where does the river begin?" },
    check: (answer: unknown[]) => assert.match(JSON.stringify(answer.at(-1)), /"end"/),
  },
  {
    name: "generation",
    service: "headwater.v1.ConversationService",
    method: "CreateConversation",
    request: { title: "Rivers" },
    check: (answer: unknown[]) => assert.match(JSON.stringify(answer), /"title":"Rivers"/),
  },
] as const;

const folder = await temporaryFolder();
let stack: Stack;
before(async () => {
  stack = await startTestStack(folder);
});
after(() => stack.close(5000));

for (const { name, service, method, request, check } of calls) {
  test(`${name}: a client without our generated code lists, describes and calls ${service}`, async () => {
    const client = new ReflectionClient(stack.address(name));
    try {
      const services = await client.listServices();
      assert(services.includes(service), services.join());
      assert(Object.keys(await client.describe(service)).includes(method));
      check(await client.call(service, method, [request]));
    } finally {
      client.close();
    }
  });
}

for (const name of ["embedding-worker", "ingest", "search", "generation"] as const) {
  test(`${name}: tells its load to who asks for it by reflection`, async () => {
    const client = new ReflectionClient(stack.address(name));
    try {
      assert((await client.listServices()).includes("headwater.v1.LoadService"));
      assert(Object.keys(await client.describe("headwater.v1.LoadService")).includes("WatchLoad"));
    } finally {
      client.close();
    }
  });
}
