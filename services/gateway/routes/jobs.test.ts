import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf, failureOf, startFixture } from "../testing/fixture.ts";

const fixture = await startFixture();
const events = { accept: "text/event-stream" };

interface Job {
  id: string;
  kind: string;
  state: string;
  input: Record<string, unknown>;
  output?: Record<string, unknown>;
  owner: string;
}

test("a turn in the background is a job, which can be asked for and watched", async () => {
  const body = { message: "when?", max_passages: 3, idempotency_key: "once" };
  const response = await fixture.send("POST", "/api/v1/chat/async", body, { "x-headwater-owner": "ada" });
  assert.equal(response.status, 202);
  const job = (await response.json()) as Job;
  const { idempotency_key: _, ...input } = body;
  assert.deepEqual([job.kind, job.state, job.owner, job.input], ["chat", "queued", "ada", input]);
  const path = response.headers.get("location") ?? "";
  assert.equal(path, `/api/v1/chat/jobs/${job.id}`);
  const again = await fixture.send("POST", "/api/v1/chat/async", body);
  assert.deepEqual([again.status, ((await again.json()) as Job).id], [200, job.id]);
  assert.deepEqual(await (await fetch(fixture.url(path))).json(), job);
  const states = [];
  for await (const { data } of eventsOf(await fetch(fixture.url(path), { headers: events })))
    states.push((data as Job).state);
  assert.deepEqual(states, ["queued", "completed"]);
  const done = (await (await fetch(fixture.url(path))).json()) as Job;
  assert.deepEqual(done.output, { answer: "At new moon." });
});

test("jobs are submitted, listed, cancelled and put into the queue again", async () => {
  const submitted = await fixture.send("POST", "/api/v1/jobs", {
    kind: "evaluate",
    input: { set: "tides", deep: { list: [1, null, true] } },
    priority: -5,
    max_attempts: 2,
    start_after: "2026-12-01T00:00:00Z",
  });
  assert.equal(submitted.status, 202);
  const job = (await submitted.json()) as Job & { start_after: string; priority: number };
  assert.deepEqual(
    [job.input["deep"], job.priority, job.start_after],
    [{ list: [1, null, true] }, -5, "2026-12-01T00:00:00.000Z"],
  );
  const early = await failureOf(await fixture.send("POST", `/api/v1/jobs/${job.id}/retry`));
  assert.deepEqual([early.status, early.reason], [409, "HW_JOB_NOT_ENDED"]);
  const cancelled = (await (await fixture.send("POST", `/api/v1/jobs/${job.id}/cancel`)).json()) as Job;
  assert.equal(cancelled.state, "cancelled");
  const list = async (query: string) => {
    const page = (await (await fetch(fixture.url(`/api/v1/jobs?${query}`))).json()) as { jobs: Job[] };
    return page.jobs.map(({ id }) => id);
  };
  assert.deepEqual(await list("state=cancelled&state=failed&kind=evaluate"), [job.id]);
  assert.deepEqual(await list("state=active"), []);
  const retried = (await (await fixture.send("POST", `/api/v1/jobs/${job.id}/retry`)).json()) as Job;
  assert.equal(retried.state, "queued");
});

test("a schedule is made, listed and deleted", async () => {
  const schedule = { cron: "0 3 * * *", time_zone: "Europe/Berlin", kind: "reindex", input: {} };
  const made = await fixture.send("PUT", "/api/v1/jobs/schedules/nightly", schedule);
  assert.deepEqual(await made.json(), { name: "nightly", ...schedule });
  const { schedules } = (await (await fetch(fixture.url("/api/v1/jobs/schedules"))).json()) as {
    schedules: unknown[];
  };
  assert.deepEqual(schedules, [{ name: "nightly", ...schedule }]);
  assert.equal((await fixture.send("DELETE", "/api/v1/jobs/schedules/nightly")).status, 200);
  assert.equal((await fixture.send("PUT", "/api/v1/jobs/schedules/Nightly!", schedule)).status, 400);
});

test("a watch that would not end is ended with a reason when the gateway stops", async () => {
  const gateway = await fixture.another();
  const { id } = (await (await fixture.send("POST", "/api/v1/jobs", { kind: "stuck" })).json()) as Job;
  const response = await fetch(`http://${gateway.address}/api/v1/jobs/${id}`, { headers: events });
  const seen = [];
  for await (const { event, data } of eventsOf(response)) {
    seen.push(event === "error" ? JSON.stringify(data) : event);
    if (event === "job") void gateway.close(3000);
  }
  assert.equal(seen[0], "job");
  assert.match(seen[1] ?? "", /HW_SERVER_DRAINING/);
});
