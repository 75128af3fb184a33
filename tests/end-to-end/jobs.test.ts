import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { FeedbackServiceDefinition, Rating } from "@headwater/proto/services/headwater/v1/feedback";
import type { Job } from "@headwater/proto/services/headwater/v1/job";
import { JobServiceDefinition, JobState } from "@headwater/proto/services/headwater/v1/job";
import { createRpcClient } from "@headwater/rpc";
import { temporaryFolder } from "@headwater/testing";
import type { Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

const folder = await temporaryFolder();
const tenant = "jobs";
let stack: Stack;
let address = "";
const web = createServer((request, response) => {
  if (request.url === "/otter.txt") {
    response.setHeader("content-type", "text/plain");
    response.end("An otter keeps its fur dry by grooming the air into it.");
  } else response.writeHead(404).end();
});

before(async () => {
  await new Promise<void>((done) => web.listen(0, "127.0.0.1", done));
  const environment = { HEADWATER_JOBS_ALLOW_PRIVATE: "127.0.0.1" };
  stack = await startTestStack(folder, { environment });
  address = stack.address("generation");
});
after(async () => {
  await stack.close(5000);
  web.close();
});

async function run(kind: string, input: Record<string, unknown>): Promise<Job> {
  const client = createRpcClient(JobServiceDefinition, address);
  try {
    const { job } = await client.call.submitJob({ tenant, owner: "ada", kind, input });
    assert(job);
    let last: Job | undefined;
    for await (const change of client.call.watchJob({ tenant, id: job.id })) last = change.job;
    assert(last, "a watch that ends tells of the end");
    return last;
  } finally {
    client.close();
  }
}

test("documents of a job are indexed, its failures told, and questions of jobs answered from them", async () => {
  const { port } = web.address() as AddressInfo;
  const indexed = await run("index", {
    documents: [
      { id: "heron.txt", text: "A heron stands still in shallow water and waits for fish." },
      { url: `http://127.0.0.1:${port}/otter.txt`, title: "Otters", attributes: { kind: "mammal" } },
      { url: `http://127.0.0.1:${port}/gone.txt` },
      { id: "empty.txt", text: " " },
    ],
  });
  assert.equal(indexed.state, JobState.COMPLETED, JSON.stringify(indexed.error));
  assert.equal(indexed.output?.["indexed"], 2);
  assert.equal(indexed.output?.["failed"], 2);
  const failures = indexed.output?.["failures"] as { id: string; reason: string }[];
  assert.deepEqual(
    failures.map(({ id, reason }) => [id.replace(/.*\//, ""), reason.slice(0, 3)]).toSorted(),
    [
      ["empty.txt", "HW_"],
      ["gone.txt", "HW_"],
    ],
  );

  const chat = await run("chat", { message: "How does an otter keep its fur dry?" });
  assert.equal(chat.state, JobState.COMPLETED, JSON.stringify(chat.error));
  assert.match(String(chat.output?.["answer"]), /grooming the air/);
  assert.equal(chat.output?.["end_reason"], "complete");
  assert.equal((chat.output?.["citations"] as unknown[] | undefined)?.length, 1);
  assert.match(String(chat.output?.["conversation_id"]), /^[0-9a-f-]{36}$/);
});

test("retrieval is measured by given judgements, and by feedback", async () => {
  const queries = [{ text: "heron fish", relevant: { "heron.txt": 1 } }];
  const measured = await run("evaluate", { queries });
  assert.deepEqual(measured.output?.["reranked"], { ndcg_10: 1, recall_100: 1, mrr: 1, queries: 1 });

  const empty = await run("evaluate", {});
  assert.deepEqual([empty.state, empty.error?.reason], [JobState.FAILED, "HW_EVALUATION_EMPTY"]);
  const feedback = createRpcClient(FeedbackServiceDefinition, address);
  try {
    await feedback.call.giveFeedback({
      ...{ tenant, owner: "ada" },
      feedback: { question: "heron", passageId: "p", documentId: "heron.txt", rating: Rating.UP },
    });
  } finally {
    feedback.close();
  }
  const judged = await run("evaluate", {});
  assert.equal((judged.output?.["fused"] as { mrr: number } | undefined)?.mrr, 1);
});

test("all is made anew from the originals", async () => {
  const reindexed = await run("reindex", {});
  assert.equal(reindexed.state, JobState.COMPLETED, JSON.stringify(reindexed.error));
  assert(Number(reindexed.output?.["documents"]) >= 2);
  assert.equal(reindexed.progress?.done, reindexed.output?.["documents"]);
});

test("input that is not right is refused when it is sent", async () => {
  const client = createRpcClient(JobServiceDefinition, address);
  try {
    for (const [kind, input] of [
      ["index", {}],
      ["index", { documents: [{ url: "ftp://example.org/x" }] }],
      ["chat", { message: "" }],
      ["reindex", { all: true }],
    ] as const)
      await assert.rejects(client.call.submitJob({ tenant, kind, input }), {
        reason: "HW_JOB_INPUT_INVALID",
      });
  } finally {
    client.close();
  }
});
