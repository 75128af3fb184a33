import type { DocumentPassages, EmbeddedPassage } from "@headwater/passage-index";
import { passageId } from "@headwater/passage-index";
import { SeededRandom } from "@headwater/testing/seeded-random";

const vocabulary = 30_000;
/** Lengths differ, as those of texts do: among passages of one length most BM25 scores would be equal. */
const minWordsPerPassage = 80;
const maxWordsPerPassage = 220;
const passagesPerDocument = 5;
const topics = 1000;
/** Of each component, against a topic's spread of 1: passages of one topic have cosines of about 0.7. */
const noise = 0.65;
/** The most frequent words of a text are the ones that nobody asks for. */
const firstQueryWord = 30;
const wordsPerQuery = 8;

/**
 * Passages whose words follow Zipf's law and whose vectors lie in clusters, as those of real texts do; the same ones on
 * each run.
 */
export class SyntheticCorpus {
  readonly #random: SeededRandom;
  readonly #words: readonly string[];
  /** Sum of 1/rank up to each word. */
  readonly #cumulative: Float64Array;
  readonly #topics: readonly Float32Array[];
  readonly #dimensions: number;

  constructor(dimensions: number, seed = 1) {
    this.#random = new SeededRandom(seed);
    this.#dimensions = dimensions;
    this.#words = Array.from({ length: vocabulary }, (_, at) => toWord(at));
    this.#cumulative = new Float64Array(vocabulary);
    let sum = 0;
    for (let at = 0; at < vocabulary; at += 1) {
      sum += 1 / (at + 1);
      this.#cumulative[at] = sum;
    }
    this.#topics = Array.from({ length: topics }, () => this.#gaussian(1));
  }

  /** @param from number of the first document, so that ids differ between calls */
  documents(count: number, from: number): DocumentPassages[] {
    return Array.from({ length: count }, (_, at) => {
      const documentId = `document-${from + at}`;
      const passages = Array.from({ length: passagesPerDocument }, (__, ordinal): EmbeddedPassage => {
        const words = minWordsPerPassage + this.#random.next() * (maxWordsPerPassage - minWordsPerPassage);
        const text = this.#text(Math.round(words), 0);
        return {
          id: passageId("default", documentId, 1, ordinal),
          tenant: "default",
          documentId,
          version: 1,
          ordinal,
          text,
          title: `Document ${from + at}`,
          uri: `https://example.com/${documentId}`,
          mediaType: "text/plain",
          attributes: { shelf: String(at % 20) },
          observedAt: 1_700_000_000_000 + at,
          start: ordinal * text.length,
          end: (ordinal + 1) * text.length,
          page: 0,
          headingPath: [],
          vector: this.vector(),
        };
      });
      return { tenant: "default", documentId, version: 1, passages };
    });
  }

  static documentsFor(passages: number): number {
    return Math.ceil(passages / passagesPerDocument);
  }

  query(): string {
    return this.#text(wordsPerQuery, firstQueryWord);
  }

  /** Near one of the topics, of length 1. */
  vector(): Float32Array {
    const vector = this.#gaussian(noise);
    const topic = this.#topics[this.#random.below(topics)];
    for (const [at, value] of vector.entries()) vector[at] = value + (topic?.[at] ?? 0);
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  }

  #text(words: number, firstWord: number): string {
    return Array.from({ length: words }, () => this.#word(firstWord)).join(" ");
  }

  #word(firstWord: number): string {
    const base = firstWord === 0 ? 0 : (this.#cumulative[firstWord - 1] ?? 0);
    const wanted = base + this.#random.next() * ((this.#cumulative[vocabulary - 1] ?? 0) - base);
    let low = firstWord;
    let high = vocabulary - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#cumulative[middle] ?? 0) < wanted) low = middle + 1;
      else high = middle;
    }
    return this.#words[low] ?? "";
  }

  #gaussian(deviation: number): Float32Array {
    return Float32Array.from(
      { length: this.#dimensions },
      () =>
        deviation *
        Math.sqrt(-2 * Math.log(1 - this.#random.next())) *
        Math.cos(2 * Math.PI * this.#random.next()),
    );
  }
}

/** Pronounceable, and none is a stop word or the stem of another. */
function toWord(at: number): string {
  const consonants = "bcdfgklmnprtvz";
  const vowels = "aiou";
  let word = "x";
  for (let rest = at + 1; rest > 0; rest = Math.floor(rest / 56))
    word += (consonants[rest % 14] ?? "") + (vowels[Math.floor(rest / 14) % 4] ?? "");
  return `${word}k`;
}
