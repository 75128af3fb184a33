import { HeadwaterError, status } from "@headwater/errors";
import type { EngineStore, GenerationDescription, PassageEngine } from "./engine.ts";

export interface ServingGenerationOptions {
  /** Its alias decides. */
  readonly lexical: Pick<EngineStore<PassageEngine>, "active" | "activate">;
  /** Its alias follows, for when the other cannot be asked. */
  readonly vector: Pick<EngineStore<PassageEngine>, "active" | "activate">;
  readonly readOnly?: boolean;
  readonly activeForMs?: number;
  readonly onError: (error: unknown) => void;
}

const defaultActiveForMs = 1000;

/** Which generation serves: asked on every search, so the answer is kept for a moment. */
export class ServingGeneration {
  readonly #options: ServingGenerationOptions;
  #asked: Promise<GenerationDescription | undefined> | undefined;
  /** `performance.now()` until which the answer holds. */
  #until = 0;
  /** The generation that the other alias was last seen to name as well. */
  #aligned: string | undefined;

  constructor(options: ServingGenerationOptions) {
    this.#options = options;
  }

  /** @throws HeadwaterError UNAVAILABLE where neither engine can be asked */
  get(): Promise<GenerationDescription | undefined> {
    if (this.#asked && performance.now() < this.#until) return this.#asked;
    const asked = this.#ask();
    this.#asked = asked;
    this.#until = performance.now() + (this.#options.activeForMs ?? defaultActiveForMs);
    asked.catch(() => {
      if (this.#asked === asked) this.forget();
    });
    return asked;
  }

  /** The next `get` asks again. */
  forget(): void {
    this.#asked = undefined;
  }

  /** In one step, for all processes. */
  async set(description: GenerationDescription): Promise<void> {
    const { lexical } = this.#options;
    await lexical.activate(description.generation);
    this.forget();
    await this.#align(description.generation);
  }

  async #ask(): Promise<GenerationDescription | undefined> {
    const { lexical, vector, readOnly } = this.#options;
    try {
      const serving = await lexical.active();
      if (serving && !readOnly && this.#aligned !== serving.generation) await this.#align(serving.generation);
      return serving;
    } catch (thrown) {
      if (HeadwaterError.from(thrown).code !== status.UNAVAILABLE) throw thrown;
      return vector.active();
    }
  }

  /** The switch has happened already: a failure here is told and tried again. */
  async #align(generation: string): Promise<void> {
    const { vector, onError } = this.#options;
    try {
      const other = await vector.active();
      if (other?.generation !== generation) await vector.activate(generation);
      this.#aligned = generation;
    } catch (thrown) {
      onError(thrown);
    }
  }
}
