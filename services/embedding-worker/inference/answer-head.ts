import { readFile } from "node:fs/promises";
import type { InferenceSession } from "onnxruntime-node";
import { Tensor } from "onnxruntime-node";
import type { InContext } from "./job.ts";
import { openSmallSession } from "./small-session.ts";
import { unpackTokenVectors } from "./token-vectors.ts";

/** The sentence and its neighbours, as the graph names them. */
const parts = ["before", "own", "after"] as const;

/**
 * Tells from token vectors whether a sentence answers a question: a small transformer on top of the encoder, whose question
 * tokens read the sentence's and those beside it. What is like a question need not answer it, and that is what it was
 * trained on (training/answer-head). Vectors that are kept are enough for it: the encoder has not seen the two together,
 * and most layers of a cross-encoder need not either (MacAvaney et al., PreTTR, 2020).
 */
export class AnswerHead {
  readonly #session: InferenceSession;
  readonly #dimensions: number;

  private constructor(session: InferenceSession, dimensions: number) {
    this.#session = session;
    this.#dimensions = dimensions;
  }

  /** @throws Error, its message for people, where the graph is no answer head for vectors of this length */
  static async load(file: string, dimensions: number): Promise<AnswerHead> {
    const session = await openSmallSession(await readFile(file));
    const input = session.inputMetadata.find(({ name }) => name === "question");
    if (!input?.isTensor || input.shape[1] !== dimensions || !session.outputNames.includes("odds")) {
      await session.release();
      throw new TypeError(`${file} is no answer head for token vectors of ${dimensions} dimensions`);
    }
    return new AnswerHead(session, dimensions);
  }

  /**
   * @param question packed token vectors, as are those of `sentences`
   * @returns for each sentence the natural logarithm of the odds; undefined where question or sentence has no tokens
   */
  async score(question: Uint8Array, sentences: readonly InContext[]): Promise<(number | undefined)[]> {
    const asked = this.#feeds("question", question);
    const odds: (number | undefined)[] = [];
    for (const sentence of sentences) {
      const empty = question.byteLength === 0 || sentence.own.byteLength === 0;
      odds.push(empty ? undefined : await this.#run(asked, sentence));
    }
    return odds;
  }

  async #run(asked: Record<string, Tensor>, sentence: InContext): Promise<number> {
    const feeds = { ...asked };
    for (const part of parts) Object.assign(feeds, this.#feeds(part, sentence[part] ?? new Uint8Array()));
    const { odds } = await this.#session.run(feeds);
    const value = odds?.data[0];
    if (typeof value !== "number") throw new TypeError("the answer head's output is not float32");
    return value;
  }

  #feeds(name: string, packed: Uint8Array): Record<string, Tensor> {
    const { scales, values } = unpackTokenVectors(packed, this.#dimensions);
    return {
      [name]: new Tensor("int8", values, [scales.length, this.#dimensions]),
      [`${name}_scales`]: new Tensor("float32", scales, [scales.length, 1]),
    };
  }
}
