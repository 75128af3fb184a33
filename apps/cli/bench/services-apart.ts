import { ServiceProcess } from "../stack/service-process.ts";
import type { ServiceName } from "../stack/stack.ts";
import { serviceNames } from "../stack/stack.ts";

/** The five services, each in a process of its own, as a cluster runs them. */
export interface ServicesApart {
  readonly pids: readonly number[];
  get(name: ServiceName): ServiceProcess;
  stop(): Promise<void>;
}

/**
 * Starts one after the other, telling each where those before it listen.
 *
 * @param folderOf what a service keeps for itself; search reads what ingest writes where the index is an embedded one
 */
export async function startServicesApart(
  environment: Readonly<Record<string, string>>,
  folderOf: (name: ServiceName) => string,
): Promise<ServicesApart> {
  await using starting = new AsyncDisposableStack();
  const known: Record<string, string> = { ...environment };
  const processes = new Map<ServiceName, ServiceProcess>();
  for (const name of serviceNames) {
    const variable = name === "embedding-worker" ? "EMBEDDING" : name.toUpperCase();
    const started = await ServiceProcess.start(name, {
      ...known,
      HEADWATER_DATA_DIR: folderOf(name),
      [`HEADWATER_${variable}_LISTEN`]: "127.0.0.1:0",
    });
    starting.defer(() => started.stop());
    known[`HEADWATER_${variable}_ADDRESS`] = started.address;
    processes.set(name, started);
  }
  const running = starting.move();
  return {
    pids: [...processes.values()].map(({ pid }) => pid),
    get(name) {
      const found = processes.get(name);
      if (!found) throw new RangeError(`${name} was not started`);
      return found;
    },
    stop: () => running.disposeAsync(),
  };
}
