/** `npm run test:load`: prints what docs/performance.md tells of load and overload. */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startEmbedded, startOnRealServers } from "./installation.ts";
import { testLoad } from "./load-test.ts";
import { report } from "./report.ts";

const { values } = parseArgs({
  options: {
    real: { type: "boolean", default: false },
    documents: { type: "string", default: "1000" },
    produced: { type: "string", default: "5" },
    callers: { type: "string", default: "200" },
    seconds: { type: "string", default: "60" },
    overload: { type: "string", default: "10" },
    "overload-seconds": { type: "string", default: "30" },
    "calm-seconds": { type: "string", default: "15" },
    json: { type: "boolean", default: false },
  },
});

const folder = await mkdtemp(join(tmpdir(), "headwater-load-"));
const installation = await (values.real ? startOnRealServers(folder) : startEmbedded(folder));
try {
  const loadBefore = loadavg()[0] ?? 0;
  const result = await testLoad(installation, {
    documents: Number(values.documents),
    producedPerSecond: Number(values.produced),
    callers: Number(values.callers),
    steadySeconds: Number(values.seconds),
    overloadFactor: Number(values.overload),
    overloadSeconds: Number(values["overload-seconds"]),
    calmSeconds: Number(values["calm-seconds"]),
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  if (values.json)
    process.stdout.write(`${JSON.stringify({ installation: installation.name, ...result })}\n`);
  else
    process.stdout.write(
      `${installation.name}; load average before: ${loadBefore.toFixed(1)}\n\n${report(result)}\n`,
    );
} finally {
  await installation.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
