import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Names the set of processes within which a process number means one process. */
export const processHost = findProcessHost();

/**
 * True where the process is surely gone. A process elsewhere (another machine or container), or one whose number was
 * given anew, counts as running: its lease tells.
 */
export function isProcessGone(host: string, pid: number): boolean {
  if (host !== processHost || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (thrown) {
    return thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH";
  }
}

/** On Linux two containers may have one host name and yet number their processes apart: ask for the namespace. */
function findProcessHost(): string {
  if (process.platform !== "linux") return hostname();
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    // No /proc: a host that no other process has, so that only leases count.
    return `${hostname()}/${crypto.randomUUID()}`;
  }
}
