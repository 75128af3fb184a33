import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../apps/cli/main.ts", import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a `headwater` command to its end, as a script would.
 *
 * @param options.timeoutMs after which it is killed, and its code is null; default: never
 */
export async function runHeadwater(
  commandLine: readonly string[],
  options: { environment?: Record<string, string>; input?: string; timeoutMs?: number } = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [main, ...commandLine], {
    env: { ...process.env, NO_COLOR: "1", ...options.environment },
    stdio: "pipe",
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs, killSignal: "SIGKILL" }),
  });
  child.stdin.end(options.input ?? "");
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}
