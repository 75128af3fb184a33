import type { InferenceSession } from "onnxruntime-node";
import { Tensor } from "onnxruntime-node";
import { elementType, writeOnnx } from "./onnx-graph.ts";
import { openSmallSession } from "./small-session.ts";
import { unpackTokenVectors } from "./token-vectors.ts";

/**
 * Late interaction (Khattab and Zaharia, ColBERT, 2020): for each query token the best cosine with any passage token;
 * here their mean rather than their sum, so that scores of queries of any length lie in -1 to 1.
 *
 * A graph of its own for ONNX Runtime, which has the processor's wide instructions: 3 ms for 30 passages of 180 tokens
 * and a query of 14, against 21 ms for the best loop in JavaScript. In float32, where the products of int8 are exact.
 */
export class MaxSim {
  readonly #session: InferenceSession;
  readonly #dimensions: number;

  private constructor(session: InferenceSession, dimensions: number) {
    this.#session = session;
    this.#dimensions = dimensions;
  }

  static async load(dimensions: number): Promise<MaxSim> {
    return new MaxSim(await openSmallSession(maxSimGraph(dimensions)), dimensions);
  }

  /**
   * @param query packed token vectors, as are `passages`
   * @returns for each passage the best cosine of each query token; none where either has no tokens
   */
  async match(query: Uint8Array, passages: readonly Uint8Array[]): Promise<Float32Array[]> {
    const { scales, values } = unpackTokenVectors(query, this.#dimensions);
    const queryTokens = scales.length;
    if (queryTokens === 0) return passages.map(() => new Float32Array());
    const tensor = new Tensor("float32", new Float32Array(values), [queryTokens, this.#dimensions]);
    const matches: Float32Array[] = [];
    for (const passage of passages) {
      const best = await this.#bestMatches(tensor, passage);
      matches.push(best?.map((value, token) => value * (scales[token] ?? 0)) ?? new Float32Array());
    }
    return matches;
  }

  /** For each query token; the scale of the query token is left out, which changes no maximum. */
  async #bestMatches(query: Tensor, passage: Uint8Array): Promise<Float32Array | undefined> {
    const { scales, values } = unpackTokenVectors(passage, this.#dimensions);
    const tokens = scales.length;
    if (tokens === 0) return undefined;
    const { best } = await this.#session.run({
      query,
      passage: new Tensor("int8", values, [tokens, this.#dimensions]),
      scales: new Tensor("float32", scales, [tokens, 1]),
    });
    if (!(best?.data instanceof Float32Array)) throw new TypeError("MaxSim's output is not float32");
    return best.data;
  }
}

/** Mean of a passage's matches; -1 where there are none. */
export function meanMatch(matches: Float32Array): number {
  return matches.length === 0 ? -1 : matches.reduce((sum, value) => sum + value, 0) / matches.length;
}

function maxSimGraph(dimensions: number): Uint8Array {
  const { float, int8 } = elementType;
  return writeOnnx({
    nodes: [
      { op: "Cast", inputs: ["passage"], output: "exact", attributes: { to: float } },
      { op: "Transpose", inputs: ["query"], output: "columns" },
      { op: "MatMul", inputs: ["exact", "columns"], output: "products" },
      { op: "Mul", inputs: ["products", "scales"], output: "cosines" },
      { op: "ReduceMax", inputs: ["cosines"], output: "best", attributes: { axes: [0], keepdims: 0 } },
    ],
    constants: [],
    inputs: [
      { name: "query", type: float, shape: ["queryTokens", dimensions] },
      { name: "passage", type: int8, shape: ["passageTokens", dimensions] },
      { name: "scales", type: float, shape: ["passageTokens", 1] },
    ],
    outputs: [{ name: "best", type: float, shape: ["queryTokens"] }],
  });
}
