/** A process that runs jobs until it is killed: node mortal-jobs.ts <data folder>. Its first attempt at a job never ends. */
import { openPgliteRecordStore } from "@headwater/record-store/embedded";
import { silentTelemetry } from "@headwater/telemetry";
import type { JobKind } from "../jobs/job.ts";
import { usualTiming } from "../jobs/job-queue.ts";
import { Jobs } from "../jobs/jobs.ts";
import { migrations } from "../migrations.ts";

const [folder = ""] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const kind: JobKind = {
  name: "one",
  concurrency: 1,
  check: () => {},
  async run({ id, attempts }) {
    say({ running: id, attempts });
    if (attempts === 1) await new Promise(() => {});
    return { attempts };
  },
};

const records = await openPgliteRecordStore({ folder, schema: "generation" });
await records.migrate(migrations);
// The shortest that pg-boss allows.
const timing = { ...usualTiming, pollSeconds: 0.5, heartbeatSeconds: 10, superviseSeconds: 1 };
const telemetry = silentTelemetry("generation");
const jobs = await Jobs.open({ records, kinds: [kind], telemetry, timing });
await jobs.start();
const { job } = await jobs.submit({
  ...{ tenant: "t", owner: "o", kind: "one", input: {}, priority: 0, maxAttempts: 3 },
  ...{ startAfter: undefined, idempotencyKey: "the one" },
});
for await (const { state, output } of jobs.watch("t", job.id, AbortSignal.timeout(120_000))) {
  if (state === "completed") say({ completed: job.id, output });
}
await jobs.close(1000);
await records.close();
