import { fileURLToPath } from "node:url";

/** Folders of the question sets on public-domain texts, with documents of their own each. */
export const publicDomainSets = {
  /** What answers are fitted on. */
  training: fileURLToPath(new URL("./public-domain/training", import.meta.url)),
  /** What calibration and tuning may look at too. */
  development: fileURLToPath(new URL("./public-domain/development", import.meta.url)),
  /** Held out: only measured. */
  test: fileURLToPath(new URL("./public-domain/test", import.meta.url)),
} as const;
