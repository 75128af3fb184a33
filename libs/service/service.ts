import type { HeadwaterError } from "@headwater/errors";
import type { Registry, Telemetry } from "@headwater/telemetry";

/** A service that runs, in its own process or beside others in one. */
export interface RunningService {
  /** Folder name under services/. */
  readonly name: string;
  /** host:port that it listens on. */
  readonly address: string;
  readonly metrics: Registry;
  /** Why it is not ready; undefined while it is. */
  readonly notReady: HeadwaterError | undefined;
  /** Work under way gets `graceMs` milliseconds to end or is handed back; then every resource is closed. */
  close(graceMs: number): Promise<void>;
}

/**
 * A service that has one server.
 *
 * @param closeRest closes what the calls work with, once the server has let them end
 */
export function serviceBehind(
  server: Pick<RunningService, "address" | "notReady" | "close">,
  name: string,
  { metrics }: Telemetry,
  closeRest: () => Promise<void>,
): RunningService {
  return {
    ...{ name, metrics, address: server.address },
    get notReady() {
      return server.notReady;
    },
    async close(graceMs) {
      await server.close(graceMs);
      await closeRest();
    },
  };
}
