// An inference thread without a model, which dies of token id 666.
import { parentPort } from "node:worker_threads";
import type { JobMessage, ThreadMessage } from "../inference/job.ts";

const post = (message: ThreadMessage) => parentPort?.postMessage(message);

parentPort?.on("message", ({ id, job }: JobMessage) => {
  if ("inputs" in job && job.inputs.some(({ ids }) => ids.includes(666))) process.exit(1);
  post({ kind: "done", id, done: { outputs: [], milliseconds: 0, cpuMilliseconds: 0 } });
});
post({ kind: "ready" });
