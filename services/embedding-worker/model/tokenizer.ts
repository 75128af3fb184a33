import { HeadwaterError, status } from "@headwater/errors";
import type { Range } from "@headwater/text";
import type { Encoding } from "tokenizers";
import { Tokenizer } from "tokenizers";
import { modelError } from "./model-folder.ts";

/** What the model reads of a text. */
export interface TokenizedText {
  /** As it was given. */
  readonly text: string;
  /** Special tokens included. */
  readonly ids: Int32Array;
  /** The text was longer than the model's limit. */
  readonly truncated: boolean;
}

/** Two texts that the model reads together. */
export interface TokenizedPair extends TokenizedText {
  /** 1 for the tokens of the second text. */
  readonly typeIds: Int32Array;
}

/**
 * UTF-16 code units for each token that the model can read; the rest is cut before it is tokenised, so that a text of
 * a megabyte costs no more than one of 32 KiB. English has about 4.5 a token; only long runs of blanks or of letters
 * without a blank have more than this.
 */
const unitsPerToken = 64;

/**
 * The model's tokenizer, Hugging Face's own. Its encode calls run on libuv's threads, not on the event loop
 * (measured: 600 texts of 214 tokens take 120 ms, and the loop is held for less than 3 ms).
 */
export class TextTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #maxUnits: number;

  private constructor(tokenizer: Tokenizer, maxTokens: number) {
    this.#tokenizer = tokenizer;
    this.#maxUnits = maxTokens * unitsPerToken;
  }

  /** @throws HeadwaterError FAILED_PRECONDITION, HW_MODEL_INVALID */
  static load(file: string, maxTokens: number): TextTokenizer {
    try {
      const tokenizer = Tokenizer.fromFile(file);
      tokenizer.disablePadding();
      tokenizer.setTruncation(maxTokens);
      return new TextTokenizer(tokenizer, maxTokens);
    } catch (thrown) {
      throw modelError("HW_MODEL_INVALID", `${file} is not a tokenizer.`, undefined, thrown);
    }
  }

  /** @param texts without lone surrogates, or they count as U+FFFD */
  async encode(texts: readonly string[]): Promise<TokenizedText[]> {
    const cut = texts.map((text) => this.#cut(text));
    const encodings = await tokenizing(this.#tokenizer.encodeBatch(cut));
    return encodings.map((encoding, index) => tokenized(texts[index] ?? "", encoding, cut[index]));
  }

  /** Where the tokens of a text stand in it, in UTF-16 code units; special tokens have an empty range at 0. */
  async ranges(text: string): Promise<Range[]> {
    const encoding = await tokenizing(this.#tokenizer.encode(this.#cut(text)));
    // The tokenizer counts characters.
    const units = [0];
    for (const character of text) units.push((units.at(-1) ?? 0) + character.length);
    return encoding.getOffsets().map(([start = 0, end = 0]) => ({
      start: units[start] ?? text.length,
      end: units[end] ?? text.length,
    }));
  }

  /** Each text as the second of a pair with `first`; the longer of the two is cut first. */
  async encodePairs(first: string, texts: readonly string[]): Promise<TokenizedPair[]> {
    const head = this.#cut(first);
    return Promise.all(
      texts.map(async (text) => {
        const tail = this.#cut(text);
        const encoding = await tokenizing(this.#tokenizer.encode(head, tail));
        const typeIds = Int32Array.from(encoding.getTypeIds());
        const one = tokenized(text, encoding, tail);
        return { ...one, truncated: one.truncated || head !== first, typeIds };
      }),
    );
  }

  #cut(text: string): string {
    if (text.length <= this.#maxUnits) return text;
    const splitsPair = /[\uD800-\uDBFF]/.test(text.charAt(this.#maxUnits - 1));
    return text.slice(0, splitsPair ? this.#maxUnits - 1 : this.#maxUnits);
  }
}

/** @param read what the tokenizer was given of the text */
function tokenized(text: string, encoding: Encoding, read: string | undefined): TokenizedText {
  return {
    text,
    ids: Int32Array.from(encoding.getIds()),
    truncated: read !== text || encoding.getOverflowing().length > 0,
  };
}

async function tokenizing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    throw new HeadwaterError({
      code: status.INTERNAL,
      reason: "HW_TOKENIZER_FAILED",
      message: "The tokenizer could not read a text.",
      action: "Check that tokenizer.json belongs to the model.",
      cause: thrown,
    });
  }
}
