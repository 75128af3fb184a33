import { HeadwaterError, status } from "@headwater/errors";
import type { Engine } from "./inference/thread-pool.ts";

/** Whether the model works: after a failed batch a real forward pass decides, until then the last batch does. */
export class ModelHealth {
  readonly #engine: Engine;
  readonly #probe: Int32Array;
  #failure: HeadwaterError | undefined;

  /** @param probe ids of a short text that the model is known to read */
  constructor(engine: Engine, probe: Int32Array) {
    this.#engine = engine;
    this.#probe = probe;
  }

  /** How a batch ended; undefined: well. */
  record(failure: HeadwaterError | undefined): void {
    this.#failure = failure;
  }

  /** @throws HeadwaterError UNAVAILABLE, HW_MODEL_FAILING */
  async check(): Promise<void> {
    if (!this.#failure) return;
    const inputs = [{ ids: this.#probe, vector: true, tokens: false }];
    try {
      await this.#engine.run<"encode">({ kind: "encode", inputs }, true);
      this.#failure = undefined;
    } catch (thrown) {
      throw new HeadwaterError({
        code: status.UNAVAILABLE,
        reason: "HW_MODEL_FAILING",
        message: "The model fails, also on a text that is known to be good.",
        action: "Look for the cause in the log of the embedding-worker; restart it if it does not recover.",
        cause: thrown,
      });
    }
  }
}
