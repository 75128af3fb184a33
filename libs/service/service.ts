import type { HeadwaterError } from "@headwater/errors";
import type { Registry } from "@headwater/telemetry";

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
