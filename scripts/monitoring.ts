/**
 * Writes deploy/dashboards from scripts/monitoring/dashboards, and the copies of dashboards and rules that the chart
 * carries, since a chart holds no file from outside of its folder. `--check` fails where a file is not current.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createDashboard } from "./monitoring/dashboard.ts";
import { dashboards } from "./monitoring/dashboards/index.ts";

const root = join(import.meta.dirname, "..");
const chartFiles = "helm/headwater/files";

const files = new Map<string, string>();
for (const dashboard of dashboards) {
  const text = `${JSON.stringify(createDashboard(dashboard), null, 2)}\n`;
  files.set(`deploy/dashboards/${dashboard.name}.json`, text);
  files.set(`${chartFiles}/dashboards/${dashboard.name}.json`, text);
}
files.set(`${chartFiles}/rules.yaml`, readFileSync(join(root, "deploy/prometheus/rules.yaml"), "utf8"));

if (process.argv.includes("--check")) {
  const stale = [...files].flatMap(([path, text]) => (read(path) === text ? [] : [path]));
  const wrong = [...stale, ...left()];
  if (wrong.length > 0) {
    process.stderr.write(`not current: ${wrong.join(", ")}; run \`node scripts/monitoring.ts\`\n`);
    process.exit(1);
  }
} else {
  for (const path of left()) rmSync(join(root, path));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), "utf8");
  } catch {
    return undefined;
  }
}

/** Dashboards that are no more. */
function left(): string[] {
  return ["deploy/dashboards", `${chartFiles}/dashboards`].flatMap((folder) => {
    mkdirSync(join(root, folder), { recursive: true });
    return readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".json") && !files.has(`${folder}/${name}`))
      .map((name) => `${folder}/${name}`);
  });
}
