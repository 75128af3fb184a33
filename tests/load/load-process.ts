import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LoadPhase, PhaseResult, ResultMessage } from "./load-phase.ts";

const script = fileURLToPath(new URL("./load-generator.ts", import.meta.url));

/** The load generator, seen from the test that starts it. */
export interface LoadProcess {
  /** Resolves when the last answer of the phase is there. */
  run(phase: LoadPhase): Promise<PhaseResult>;
  stop(): Promise<void>;
}

/** @param gateway host:port */
export async function startLoadProcess(gateway: string): Promise<LoadProcess> {
  const child = fork(script, [gateway]);
  const ended = once(child, "exit");
  const waiting = new Map<number, PromiseWithResolvers<PhaseResult>>();
  const ready = once(child, "message");
  child.on("message", ({ id, result, failure }: ResultMessage) => {
    const phase = waiting.get(id);
    waiting.delete(id);
    if (result) phase?.resolve(result);
    else phase?.reject(new Error(failure));
  });
  child.once("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the load generator has ended"));
  });
  await Promise.race([
    ready,
    ended.then(() => {
      throw new Error("the load generator did not start");
    }),
  ]);
  let lastId = 0;
  return {
    run(phase) {
      lastId += 1;
      const answered = Promise.withResolvers<PhaseResult>();
      waiting.set(lastId, answered);
      child.send({ id: lastId, phase });
      return answered.promise;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}
