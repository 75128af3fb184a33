import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { DeepPartial } from "@headwater/proto/services/headwater/v1/feedback";
import { Feedback, Rating } from "@headwater/proto/services/headwater/v1/feedback";
import { Registry } from "@headwater/telemetry";
import { openMemoryRecords } from "../testing/memory-records.ts";
import { FeedbackHandlers } from "./feedback-handlers.ts";
import { FeedbackStore } from "./feedback-store.ts";

const registry = new Registry();
const handlers = new FeedbackHandlers(new FeedbackStore(await openMemoryRecords()), registry);
let tenant = "";
let tenants = 0;
beforeEach(() => {
  tenants += 1;
  tenant = `tenant-${tenants}`;
});

const give = async (feedback: DeepPartial<Feedback>, owner = "ada") =>
  (await handlers.giveFeedback({ tenant, owner, feedback: Feedback.fromPartial(feedback) })).feedback;

async function all(answerId = ""): Promise<Feedback[]> {
  const found: Feedback[] = [];
  let pageToken = "";
  do {
    const page = await handlers.listFeedback({ tenant, pageSize: 3, pageToken, answerId });
    found.push(...page.feedback);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return found;
}

test("what the same owner says again of the same subject replaces what was said", async () => {
  const subject = { answerId: "a-1", question: "When?" };
  const first = await give({ ...subject, rating: Rating.UP });
  const second = await give({ ...subject, rating: Rating.DOWN, correction: "In 1890." });
  assert.equal(second.id, first.id);
  await give({ ...subject, rating: Rating.UP }, "bob");
  await give({ ...subject, passageId: "p-1", rating: Rating.UP });
  // Sorted: what came in one millisecond is listed in the order of its random ids.
  assert.deepEqual(
    (await all())
      .map(({ owner, passageId, rating, correction }) => [owner, passageId, rating, correction].join())
      .toSorted(),
    [`ada,,${Rating.DOWN},In 1890.`, `ada,p-1,${Rating.UP},`, `bob,,${Rating.UP},`],
  );
});

test("what is given is counted by its rating, from zero", async () => {
  const given = async (rating: string) => {
    const { values } = (await registry.getSingleMetric("headwater_feedback_total")?.get()) ?? { values: [] };
    return values.find(({ labels }) => labels["rating"] === rating)?.value;
  };
  const before = { down: (await given("down")) ?? Number.NaN, none: (await given("none")) ?? Number.NaN };
  await give({ answerId: "a-1", question: "When?", rating: Rating.DOWN });
  await give({ answerId: "a-2", question: "When?", comment: "Hm." });
  assert.deepEqual([await given("down"), await given("none")], [before.down + 1, before.none + 1]);
});

test("pages go from the newest to the oldest, each once, also where many came in one millisecond", async () => {
  await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      give({
        answerId: `a-${index}`,
        question: "q",
        rating: Rating.UP,
        prompt: { name: "answer", version: 3 },
      }),
    ),
  );
  const found = await all();
  assert.equal(new Set(found.map(({ id }) => id)).size, 20);
  const times = found.map(({ createdTime }) => createdTime?.getTime() ?? 0);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => b - a),
  );
  assert.deepEqual(found[0]?.prompt, { name: "answer", version: 3 });
  assert.equal((await all("a-7")).length, 1);
});

test("the export is a collection in BEIR's layout, with corrections beside it", async () => {
  for (const [owner, rating] of [
    ["ada", Rating.UP],
    ["bob", Rating.UP],
    ["eve", Rating.DOWN],
  ] as const) {
    await give({ question: "héron?", passageId: "p1", documentId: "heron.txt", rating }, owner);
  }
  await give({ question: "héron?", passageId: "p2", documentId: "otter.txt", rating: Rating.DOWN });
  await give({ question: "an answer", answerId: "a", rating: Rating.DOWN, correction: "No:\nthis." });
  for (let index = 0; index < 230; index += 1)
    await give({ question: `question ${index}`, passageId: "p", documentId: "d", rating: Rating.UP });
  const files: Record<string, string[]> = {};
  for await (const { file, line } of handlers.exportFeedback({ tenant })) {
    files[file ?? ""] ??= [];
    files[file ?? ""]?.push(line ?? "");
  }
  const queries = (files["queries.jsonl"] ?? []).map(
    (line) => JSON.parse(line) as { _id: string; text: string },
  );
  assert.equal(queries.length, 231);
  const heron = queries.find(({ text }) => text === "héron?");
  const [head, ...qrels] = files["qrels.tsv"] ?? [];
  assert.equal(head, "query-id\tcorpus-id\tscore");
  assert.equal(qrels.length, 232);
  assert.deepEqual(
    qrels.filter((line) => line.startsWith(heron?._id ?? "?")),
    [`${heron?._id}\theron.txt\t1`, `${heron?._id}\totter.txt\t0`],
  );
  assert.equal(files["corrections.jsonl"]?.length, 1);
  const correction = JSON.parse(files["corrections.jsonl"]?.[0] ?? "");
  assert.deepEqual([correction.question, correction.correction], ["an answer", "No:\nthis."]);
});

test("only the owner takes feedback back, and tenants do not see each other's", async () => {
  const { id } = await give({ answerId: "a", question: "q", rating: Rating.UP });
  await handlers.deleteFeedback({ tenant, owner: "bob", id });
  await handlers.deleteFeedback({ tenant: "other", owner: "ada", id });
  assert.equal((await all()).length, 1);
  await handlers.deleteFeedback({ tenant, owner: "ada", id });
  await handlers.deleteFeedback({ tenant, owner: "ada", id });
  assert.equal((await all()).length, 0);
});

test("what is not right is refused with its reason", async () => {
  for (const [feedback, reason] of [
    [{ question: "q", rating: Rating.UP }, "HW_FEEDBACK_SUBJECT_MISSING"],
    [{ question: "q", answerId: "a" }, "HW_FEEDBACK_EMPTY"],
    [{ question: " ", answerId: "a", rating: Rating.UP }, "HW_TEXT_INVALID"],
    [{ question: "q", answerId: "a", rating: 7 as Rating }, "HW_FEEDBACK_RATING_INVALID"],
    [{ question: "q", answerId: "a", comment: "\ud800" }, "HW_TEXT_INVALID"],
  ] as const)
    await assert.rejects(give(feedback), { reason });
});
