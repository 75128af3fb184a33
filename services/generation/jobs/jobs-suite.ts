import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import type { Code } from "@headwater/errors";
import { HeadwaterError, status } from "@headwater/errors";
import type { RecordStore } from "@headwater/record-store";
import { silentTelemetry } from "@headwater/telemetry";
import { until } from "@headwater/testing";
import { migrations } from "../migrations.ts";
import type { Job, JobContext, JobKind, JobState, JsonObject } from "./job.ts";
import { usualTiming } from "./job-queue.ts";
import type { NewJob } from "./job-store.ts";
import { Jobs } from "./jobs.ts";

/** What jobs have to do on every record store; registers node:test cases. */
export function jobsSuite(name: string, openRecords: () => Promise<RecordStore>): void {
  describe(`jobs on ${name}`, () => {
    let work: (job: Job, context: JobContext) => Promise<JsonObject> = async () => ({});
    let runs: string[] = [];
    const kind = (name: string, concurrency: number): JobKind => ({
      name,
      concurrency,
      check: () => {},
      async run(job, context) {
        runs.push(String(job.input["name"]));
        return await work(job, context);
      },
    });

    let jobs: Jobs;
    let records: RecordStore;
    before(async () => {
      records = await openRecords();
      await records.migrate(migrations);
      const telemetry = silentTelemetry("generation");
      const timing = { ...usualTiming, pollSeconds: 0.5, retrySeconds: 1, maxRetrySeconds: 1 };
      jobs = await Jobs.open({ records, kinds: [kind("one", 1), kind("many", 4)], telemetry, timing });
      await jobs.start();
    });
    after(async () => {
      await jobs.close(5000);
      await records.close();
    });

    let tenant = "";
    let tenants = 0;
    beforeEach(() => {
      tenants += 1;
      tenant = `tenant-${tenants}`;
      runs = [];
      work = async () => ({});
    });

    const submit = async (name: string, more: Partial<NewJob> = {}) =>
      await jobs.submit({
        ...{ tenant, owner: "ada", kind: "one", input: { name }, priority: 0, maxAttempts: 3 },
        ...{ startAfter: undefined, idempotencyKey: undefined },
        ...more,
      });
    const settled = async (id: string, state: JobState): Promise<Job> => {
      await until(`job is ${state}`, async () => (await jobs.get(tenant, id)).state === state);
      return await jobs.get(tenant, id);
    };
    /** A promise and what settles it. */
    const gate = () => Promise.withResolvers<void>();

    test("a job runs, tells how far it is, and keeps what came of it", async () => {
      const middle = gate();
      work = async (_job, { report }) => {
        report({ done: 3, total: 10, note: "third" });
        await middle.promise;
        return { sum: 6 };
      };
      const { job } = await submit("first");
      assert.equal(job.state, "queued");
      const seen: Job[] = [];
      for await (const change of jobs.watch(tenant, job.id, AbortSignal.timeout(20_000))) {
        seen.push(change);
        if (change.progress.done === 3) middle.resolve();
      }
      const last = seen.at(-1);
      assert.deepEqual([last?.state, last?.output, last?.attempts], ["completed", { sum: 6 }, 1]);
      assert.deepEqual(last?.progress, { done: 3, total: 10, note: "third" });
      assert(last?.startedTime && last.endedTime && last.startedTime <= last.endedTime);
    });

    test("what fails for a while is tried again, and fails for good after its attempts", async () => {
      const failure = (code: Code) =>
        new HeadwaterError({ code, reason: "HW_TEST", message: "No.", action: "Wait." });
      work = async ({ attempts }) => {
        if (attempts < 3) throw failure(status.UNAVAILABLE);
        return { attempts };
      };
      const { job } = await submit("flaky");
      assert.deepEqual((await settled(job.id, "completed")).output, { attempts: 3 });
      assert.equal((await jobs.get(tenant, job.id)).failure, undefined);

      work = async () => {
        throw failure(status.UNAVAILABLE);
      };
      const { job: doomed } = await submit("doomed", { maxAttempts: 2 });
      const failed = await settled(doomed.id, "failed");
      assert.deepEqual(
        [failed.attempts, failed.failure],
        [2, { reason: "HW_TEST", message: "No.", action: "Wait." }],
      );

      work = async () => {
        throw failure(status.INVALID_ARGUMENT);
      };
      const { job: hopeless } = await submit("hopeless");
      assert.equal((await settled(hopeless.id, "failed")).attempts, 1);
      assert.deepEqual(runs, ["flaky", "flaky", "flaky", "doomed", "doomed", "hopeless"]);

      work = async () => ({ done: true });
      const retried = await jobs.retry(tenant, hopeless.id);
      assert.deepEqual([retried.state, retried.attempts], ["queued", 0]);
      assert.deepEqual((await settled(hopeless.id, "completed")).output, { done: true });
      await assert.rejects(jobs.retry(tenant, hopeless.id), { reason: "HW_JOB_NOT_ENDED" });
    });

    test("a job that waits is cancelled before it starts, and one that runs is told to stop", async () => {
      const started = gate();
      let stopped = false;
      work = async (_job, { signal }) => {
        started.resolve();
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
        return {};
      };
      const { job: running } = await submit("running");
      await started.promise;
      const { job: waiting } = await submit("waiting");
      assert.equal((await jobs.cancel(tenant, waiting.id)).state, "cancelled");
      work = async () => {
        stopped = true;
        return {};
      };
      assert.equal((await jobs.cancel(tenant, running.id)).state, "cancelled");
      const { job: next } = await submit("next");
      await settled(next.id, "completed");
      assert(stopped);
      assert.deepEqual(runs, ["running", "next"]);
      for (const { id } of [running, waiting]) assert.equal((await jobs.get(tenant, id)).state, "cancelled");
      assert.equal((await jobs.cancel(tenant, next.id)).state, "completed", "what has ended stays as it is");
      await jobs.retry(tenant, waiting.id);
      await settled(waiting.id, "completed");
    });

    test("higher priorities go first, equal ones in order", async () => {
      const first = gate();
      work = async ({ input }) => {
        if (input["name"] === "blocks") await first.promise;
        return {};
      };
      await submit("blocks");
      await until("the first runs", () => runs.length === 1);
      for (const [name, priority] of [
        ["low", -5],
        ["a", 0],
        ["b", 0],
        ["high", 50],
      ] as const)
        await submit(name, { priority });
      first.resolve();
      await until("all ran", () => runs.length === 5);
      assert.deepEqual(runs, ["blocks", "high", "a", "b", "low"]);
    });

    test("those that wait and run are counted, and for how long the first of them waits", async () => {
      const middle = gate();
      work = async () => {
        await middle.promise;
        return {};
      };
      await submit("runs");
      await until("the first runs", () => runs.length === 1);
      const { job: waits } = await submit("waits");
      const startAfter = new Date(Date.now() + 3_600_000);
      const { job: later } = await submit("later", { kind: "many", startAfter });
      const open = await jobs.store.countOpen();
      const told = new Map(open.map((one) => [`${one.kind} ${one.state}`, one]));
      assert.deepEqual(
        ["one active", "one queued", "many queued"].map((key) => told.get(key)?.count),
        [1, 1, 1],
      );
      assert((told.get("one queued")?.oldestSeconds ?? -1) > 0);
      assert.equal(told.get("many queued")?.oldestSeconds, 0, "nobody should have started it");
      middle.resolve();
      await settled(waits.id, "completed");
      await jobs.cancel(tenant, later.id);
    });

    test("a job with a time to start waits for it", async () => {
      const startAfter = new Date(Date.now() + 1500);
      const { job } = await submit("later", { startAfter });
      const done = await settled(job.id, "completed");
      assert(done.startedTime && done.startedTime >= startAfter);
      assert.deepEqual(done.startAfter, startAfter);
    });

    test("the same idempotency key is the same job, for each tenant", async () => {
      const [one, two] = await Promise.all([
        submit("once", { idempotencyKey: "k" }),
        submit("once", { idempotencyKey: "k" }),
      ]);
      assert.equal(one.job.id, two.job.id);
      assert.deepEqual([one.existed, two.existed].toSorted(), [false, true]);
      await settled(one.job.id, "completed");
      assert.equal((await submit("once", { idempotencyKey: "k" })).job.state, "completed");
      const other = await submit("once", { idempotencyKey: "k", tenant: "somebody-else" });
      assert.notEqual(other.job.id, one.job.id);
      await assert.rejects(jobs.get("somebody-else", one.job.id), { reason: "HW_JOB_NOT_FOUND" });
      await assert.rejects(submit("again", { idempotencyKey: "k" }), { reason: "HW_IDEMPOTENCY_KEY_REUSED" });
    });

    test("several jobs of a kind run at once, as many as it allows", async () => {
      let active = 0;
      let most = 0;
      work = async (job) => {
        // One that another test left behind may still run.
        if (job.kind !== "many") return {};
        active += 1;
        most = Math.max(most, active);
        await new Promise((done) => setTimeout(done, 50));
        active -= 1;
        return {};
      };
      const submitted = await Promise.all(
        Array.from({ length: 12 }, (_, index) => submit(`m${index}`, { kind: "many" })),
      );
      for (const { job } of submitted) await settled(job.id, "completed");
      assert(most > 1 && most <= 4, String(most));
    });

    test("what is not right is refused", async () => {
      await assert.rejects(submit("x", { kind: "none" }), { reason: "HW_JOB_KIND_UNKNOWN" });
      const schedule = { tenant, name: "s", owner: "ada", kind: "one", input: {} };
      for (const [cron, timeZone] of [
        ["every day", "UTC"],
        ["* * * * * *", "UTC"],
        ["61 * * * *", "UTC"],
        ["0 0 * * *", "Moon/Tycho"],
      ] as const)
        await assert.rejects(jobs.setSchedule({ ...schedule, cron, timeZone }), {
          reason: "HW_SCHEDULE_INVALID",
        });
    });

    test("schedules are set, listed, replaced and deleted", async () => {
      const schedule = { tenant, name: "nightly", owner: "ada", kind: "one", input: { name: "s" } };
      await jobs.setSchedule({ ...schedule, cron: "30 2 * * *", timeZone: "Europe/Berlin" });
      await jobs.setSchedule({ ...schedule, kind: "many", cron: "0 3 * * 1", timeZone: "UTC" });
      const listed = await jobs.schedules.list(tenant);
      assert.deepEqual(
        listed.map(({ name, cron, kind: of }) => [name, cron, of]),
        [["nightly", "0 3 * * 1", "many"]],
      );
      await jobs.deleteSchedule(tenant, "nightly");
      await jobs.deleteSchedule(tenant, "nightly");
      assert.deepEqual(await jobs.schedules.list(tenant), []);
    });
  });
}
