import type { SeededRandom } from "@headwater/testing/seeded-random";
import type { Installation, InstallationNeeds, ServerName } from "./installation.ts";

/** Puts right what was hurt; resolves when it is there again. */
export type Heal = () => Promise<void>;

export interface FaultCase {
  readonly name: string;
  /** What is done, for the table. */
  readonly fault: string;
  readonly needs: InstallationNeeds;
  /** Must be startable again. */
  readonly server?: ServerName;
  /** Milliseconds between hurt and heal, least and most. */
  readonly outageMs: readonly [number, number];
  /** Undefined: the workload itself is the fault. */
  readonly hurt?: (installation: Installation, random: SeededRandom) => Promise<Heal>;
}
