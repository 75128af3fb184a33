/** Lints the contracts, refuses breaking changes, and fails when the generated code is not current. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const scratch = mkdtempSync(join(tmpdir(), "headwater-proto-"));
const run = (command: string, args: string[], cwd = here) =>
  execFileSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });

try {
  run("buf", ["lint"]);
  // The baseline is the contract of the last release; `npm run baseline` moves it when a release is made.
  run("buf", ["breaking", "--against", "baseline.binpb"]);
  for (const name of ["headwater", "externalscaler", "buf.yaml", "buf.gen.yaml"]) {
    cpSync(join(here, name), join(scratch, name), { recursive: true });
  }
  run("buf", ["generate"], scratch);
  run("buf", ["build", "-o", "gen/descriptors.binpb"], scratch);
  run("diff", ["-r", join(scratch, "gen"), join(here, "gen")]);
  process.stdout.write("protos: linted, compatible, and the generated code is current\n");
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
