/**
 * How many of what for so many passages and queries: writes the tables of docs/capacity.md. `--check` fails where the page is
 * not current; `--passages N --queries N` prints one plan, for a size of your own.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { plan } from "./capacity/plan.ts";
import { boundsTable, planTable } from "./capacity/table.ts";
import { unitCosts } from "./capacity/unit-costs.ts";

const page = join(import.meta.dirname, "..", "docs", "capacity.md");
const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    passages: { type: "string" },
    queries: { type: "string" },
  },
});

if (values.passages !== undefined || values.queries !== undefined) {
  const demand = { passages: sizeOf(values.passages), queriesPerSecond: sizeOf(values.queries) };
  const plans = [plan(demand, unitCosts)];
  process.stdout.write(`${planTable(plans)}\n\n${boundsTable(plans)}\n`);
} else {
  const plans = [1e6, 100e6, 10e9].flatMap((passages) =>
    [10, 1000, 100_000].map((queriesPerSecond) => plan({ passages, queriesPerSecond }, unitCosts)),
  );
  const before = readFileSync(page, "utf8");
  const after = filled(filled(before, "plans", planTable(plans)), "bounds", boundsTable(plans));
  if (!values.check) writeFileSync(page, after);
  else if (before !== after) {
    process.stderr.write("docs/capacity.md is not current: run `node scripts/capacity.ts`\n");
    process.exit(1);
  }
}

/** Puts a table between its marks. */
function filled(text: string, mark: string, table: string): string {
  const begin = `<!-- ${mark}: begin -->\n`;
  const end = `<!-- ${mark}: end -->`;
  const [head, rest] = text.split(begin);
  const tail = rest?.split(end)[1];
  if (head === undefined || tail === undefined)
    throw new RangeError(`docs/capacity.md has no place for ${mark}`);
  return `${head}${begin}\n${table}\n\n${end}${tail}`;
}

function sizeOf(text: string | undefined): number {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError("--passages and --queries are numbers above 0, such as 5e6");
  return value;
}
