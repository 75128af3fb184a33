import { InferenceSession, Tensor } from "onnxruntime-node";

/** A row of a batch. */
export interface Row {
  readonly ids: Int32Array;
  readonly typeIds?: Int32Array;
}

/** One output of the graph for a padded batch. */
export interface BatchOutput {
  readonly data: Float32Array;
  /** [rows, columns] or [rows, tokens, dimensions]. */
  readonly dims: readonly number[];
}

const knownInputs = ["input_ids", "attention_mask", "token_type_ids"] as const;
type InputName = (typeof knownInputs)[number];

/** A transformer's graph: token ids in, one output out. Belongs to one thread. */
export class OnnxModel {
  readonly #session: InferenceSession;
  readonly #output: string;
  readonly #padTokenId: number;
  readonly #inputs: ReadonlyMap<InputName, InputBuffer>;

  private constructor(session: InferenceSession, output: string, padTokenId: number) {
    this.#session = session;
    this.#output = output;
    this.#padTokenId = padTokenId;
    this.#inputs = new Map(
      knownInputs
        .filter((name) => session.inputNames.includes(name))
        .map((name) => [name, new InputBuffer()]),
    );
  }

  /**
   * @param rank dimensions of the output that is wanted: 3 for token vectors, 2 for logits
   * @param threads cores that a run computes on
   * @throws Error, its message for people, where the graph is not such a model
   */
  static async load(file: string, rank: 2 | 3, padTokenId: number, threads: number): Promise<OnnxModel> {
    const session = await InferenceSession.create(file, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // A pattern is kept for each shape ever seen, and with texts of all lengths that is memory without bound.
      enableMemPattern: false,
      // Its errors are thrown as well; what it prints is not JSON.
      logSeverityLevel: 4,
    });
    try {
      checkInputs(session);
      return new OnnxModel(session, outputOf(session, rank), padTokenId);
    } catch (thrown) {
      await session.release();
      throw thrown;
    }
  }

  /** Runs rows as one batch, each padded to the longest. */
  async run(rows: readonly Row[]): Promise<BatchOutput> {
    const width = rows.reduce((longest, { ids }) => Math.max(longest, ids.length), 1);
    const dims = [rows.length, width];
    const feeds: Record<string, Tensor> = {};
    for (const [name, buffer] of this.#inputs)
      feeds[name] = buffer.tensor(dims, this.#filler(name, rows, width));
    const outputs = await this.#session.run(feeds, [this.#output]);
    const output = outputs[this.#output];
    if (!(output?.data instanceof Float32Array)) throw new TypeError(`${this.#output} is not float32`);
    return { data: output.data, dims: output.dims };
  }

  #filler(name: InputName, rows: readonly Row[], width: number) {
    return (low: Int32Array) => {
      if (name === "input_ids" && this.#padTokenId !== 0)
        for (let at = 0; at < low.length; at += 2) low[at] = this.#padTokenId;
      for (const [index, { ids, typeIds }] of rows.entries()) {
        const from = index * width * 2;
        for (let token = 0; token < ids.length; token += 1) {
          low[from + token * 2] =
            name === "input_ids"
              ? (ids[token] ?? 0)
              : name === "attention_mask"
                ? 1
                : (typeIds?.[token] ?? 0);
        }
      }
    };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }
}

/**
 * An int64 input that is filled again for each batch. Assigning BigInts one by one is slow, so the low halves of the
 * numbers are written through a view of 32-bit numbers (all platforms of onnxruntime-node are little-endian).
 */
class InputBuffer {
  #buffer = new ArrayBuffer(0);

  tensor(dims: readonly number[], fill: (low: Int32Array) => void): Tensor {
    const size = dims.reduce((product, dim) => product * dim, 1);
    if (this.#buffer.byteLength < size * 8) this.#buffer = new ArrayBuffer(size * 8);
    const low = new Int32Array(this.#buffer, 0, size * 2);
    low.fill(0);
    fill(low);
    return new Tensor("int64", new BigInt64Array(this.#buffer, 0, size), dims);
  }
}

function checkInputs({ inputNames, inputMetadata }: InferenceSession): void {
  const unknown = inputNames.filter((name) => !knownInputs.some((known) => known === name));
  if (unknown.length > 0)
    throw new TypeError(`the graph wants inputs that are not known: ${unknown.join(", ")}`);
  if (!inputNames.includes("input_ids")) throw new TypeError("the graph has no input input_ids");
  const other = inputMetadata.find((input) => !input.isTensor || input.type !== "int64");
  if (other) throw new TypeError(`the input ${other.name} is not int64`);
}

/** The usual names first, then any output of the right shape. */
function outputOf({ outputMetadata }: InferenceSession, rank: 2 | 3): string {
  const fitting = outputMetadata.flatMap((output) =>
    output.isTensor && output.type === "float32" && output.shape.length === rank ? [output.name] : [],
  );
  const usual = ["last_hidden_state", "token_embeddings", "logits"].find((name) => fitting.includes(name));
  const name = usual ?? fitting[0];
  if (name === undefined) throw new TypeError(`the graph has no float32 output of ${rank} dimensions`);
  return name;
}
