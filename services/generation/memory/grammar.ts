import { createRequire } from "node:module";

/** A word of a sentence and what it is. Contractions are two words. */
export interface TaggedWord {
  /** As it is written; empty for the second half of a contraction. */
  readonly text: string;
  /** Lower case, without punctuation; numbers as digits. */
  readonly normal: string;
  /** Its base form where the tagger knows it: "keep" of "kept"; else as `normal`. */
  readonly base: string;
  /** Of compromise's part-of-speech tagger, such as "Noun" and "Negative". */
  readonly tags: ReadonlySet<string>;
}

/** An English sentence as far as rules can read it. */
export interface Sentence {
  readonly words: readonly TaggedWord[];
  readonly question: boolean;
  /** Gives an order: its first word is a verb in the imperative. */
  readonly order: boolean;
  /** Place of the verb that says something of the subject before it; -1: there is none. */
  readonly verbAt: number;
}

interface Term {
  readonly text: string;
  readonly normal: string;
  readonly implicit?: string;
  readonly root?: string;
  readonly tags: readonly string[];
}

type Tagger = typeof import("compromise")["default"];

const require = createRequire(import.meta.url);
let tagger: Tagger | undefined;

/** Loaded with the first statement: reading its lexicon would take 0.3 s of processor time from every start. */
function nlp(text: string): ReturnType<Tagger> {
  tagger ??= require("compromise") as Tagger;
  return tagger(text);
}

const openings = new Set(["Adverb", "Expression", "Conjunction"]);

export function parseSentence(text: string): Sentence {
  const view = nlp(text);
  const question = text.trimEnd().endsWith("?") || view.questions().found;
  const order = view.verbs().isImperative().found && startsWithVerb(termsOf(view));
  view.numbers().toNumber();
  view.compute("root");
  const words = termsOf(view).map(({ text: written, normal, implicit, root, tags }) => ({
    text: written,
    normal: implicit ?? normal,
    base: root ?? implicit ?? normal,
    tags: new Set(tags),
  }));
  return { words, question, order, verbAt: verbAt(words) };
}

/** The tagger takes some verbs for nouns ("I work shifts"); what follows "I" and "we" is one. */
function verbAt(words: readonly TaggedWord[]): number {
  const tagged = words.findIndex(({ tags }) => tags.has("Verb"));
  if (tagged >= 0 || !/^(?:i|we)$/.test(words[0]?.normal ?? "")) return tagged;
  return words.findIndex(({ tags }, at) => at > 0 && !tags.has("Adverb"));
}

function termsOf(view: ReturnType<typeof nlp>): Term[] {
  const sentences = view.json({ offset: false }) as { terms: Term[] }[];
  return sentences.flatMap(({ terms }) => terms);
}

function startsWithVerb(terms: readonly Term[]): boolean {
  const first = terms.find(({ tags }) => !tags.some((tag) => openings.has(tag)));
  return first?.tags.includes("Verb") ?? false;
}
