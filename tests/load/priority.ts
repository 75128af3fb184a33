import { constants, setPriority } from "node:os";

/**
 * Gives a process the processor when it wants it. In a cluster the gateway has a share of its own (`resources.requests` of
 * the chart), Elasticsearch has nodes of its own, and callers are elsewhere; on one machine dozens of Elasticsearch's
 * threads would share the cores with the gateway's and the generator's one each. Only root may.
 */
export function prefer(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_ABOVE_NORMAL);
  } catch (thrown) {
    process.stderr.write(`the priority of process ${pid} stays as it is: ${String(thrown)}\n`);
  }
}
