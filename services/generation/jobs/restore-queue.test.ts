import assert from "node:assert/strict";
import { test } from "node:test";
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { silentTelemetry } from "@headwater/telemetry";
import { until } from "@headwater/testing";
import { migrations } from "../migrations.ts";
import { usualTiming } from "./job-queue.ts";
import { Jobs } from "./jobs.ts";
import { restoreQueue } from "./restore-queue.ts";

test("a queue that is gone is made anew of the jobs: what waited and what ran is run, what ended is not", async () => {
  const records = await openPgliteRecordStore({ folder: undefined, schema: "generation" });
  await records.migrate(migrations);
  const ran: unknown[] = [];
  const open = () =>
    Jobs.open({
      records,
      kinds: [
        {
          ...{ name: "one", concurrency: 1, check: () => {} },
          run: async ({ input }) => {
            ran.push(input["name"]);
            return {};
          },
        },
      ],
      telemetry: silentTelemetry("generation"),
      timing: { ...usualTiming, pollSeconds: 0.5 },
    });
  const common = { tenant: "t", owner: "ada", kind: "one" };
  const before = await open();
  const ids: string[] = [];
  for (const name of ["waited", "ran", "ended"]) {
    const given = { priority: 0, maxAttempts: 3, startAfter: undefined, idempotencyKey: name };
    ids.push((await before.submit({ ...common, ...given, input: { name } })).job.id);
  }
  await before.setSchedule({ ...common, name: "nightly", cron: "0 3 * * *", timeZone: "UTC", input: {} });
  await before.close(1000);
  await records.query("UPDATE jobs SET state = 'active', run = gen_random_uuid() WHERE id = $1", [
    ids[1] ?? "",
  ]);
  await records.query("UPDATE jobs SET state = 'completed', ended_at = now() WHERE id = $1", [ids[2] ?? ""]);

  for (const _ of ["first", "again"]) assert.equal(await restoreQueue(records, assert.ifError), 2);
  const after = await open();
  await after.start();
  for (const id of ids)
    await until("all are done", async () => (await after.get("t", id)).state === "completed");
  assert.deepEqual(ran.sort(), ["ran", "waited"]);
  const [schedule] = await records.query<{ cron: string }>("SELECT cron FROM generation_jobs.schedule");
  assert.equal(schedule?.cron, "0 3 * * *");
  await after.close(1000);
  await records.close();
});
