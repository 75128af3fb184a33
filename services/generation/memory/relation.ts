import { isStopWord, stem } from "@headwater/text";
import { parseSentence } from "./grammar.ts";

/** What a statement is to a memory. */
export type Relation = "new" | "repeats" | "contradicts";

/** A memory that a statement may repeat or contradict. */
export interface Candidate {
  readonly id: string;
  readonly text: string;
  /** See `nearness`. */
  readonly near: number;
}

/** What was found, and of which memory. */
export interface Judgement {
  readonly relation: Relation;
  readonly candidate: Candidate | undefined;
}

/** Nearness above which two statements may be about one thing. Chosen on the development lives, as are those below. */
export const relatedFrom = 0.1;
/** Above it they say the same, unless something shows otherwise. */
const sameFrom = 0.75;
/** Above it they say the same where most of their words are the same too. */
const similarFrom = 0.5;
/** Between these, "My X is Y" and "My X is Z" are two values of one thing; above, two words for one value. */
const otherValueFrom = 0.6;
const otherValueTo = 0.85;
/** Share of the words of the shorter statement that both have. */
const sharedFrom = 0.6;

/** "no longer" and the like say that something was true before; so do verbs of change. */
const changeWords =
  /\b(?:now|nowadays|these days|no longer|any ?more|instead|actually|again|moved|switched|changed|upgraded|sold|replaced|renamed|became|stopped|quit|left|new)\b/i;
const negations =
  /\b(?:not|no|never|none|without|cannot|dislike|dislikes|hate|hates|avoid|avoids|stopped|quit|gave up|unable)\b|n['’]t\b/i;
/** Words for one thing, under one name. */
const sameMeaning: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries({
    residence: "live lives living lived reside moved move relocated house flat apartment home",
    occupation: "work works working worked job employed employer employee career",
    naming: "name named called call calls",
    mother: "mum mom mother mama",
    father: "dad father papa",
    liking: "like likes love loves enjoy enjoys dislike dislikes hate hates",
  }).flatMap(([meaning, forms]) => forms.split(" ").map((form) => [form, meaning])),
);
const valueTags = [
  "Value",
  "Date",
  "Month",
  "WeekDay",
  "Place",
  "Person",
  "ProperNoun",
  "Organization",
  "Email",
];
/** Says how things stand in time or in speech, and nothing of what they are. */
const passing = new Set(
  "now nowadays day longer anymore instead actually again still already not never no cannot said mentioned told".split(
    " ",
  ),
);

interface Gist {
  /** Of the words before the verb; empty: who speaks. */
  readonly subject: ReadonlySet<string>;
  /** Names, numbers and dates among them. */
  readonly subjectValues: ReadonlySet<string>;
  /** Its verb is "is" or the like. */
  readonly equates: boolean;
  readonly content: ReadonlySet<string>;
  /** Names, numbers and dates. */
  readonly values: ReadonlySet<string>;
  readonly negated: boolean;
  readonly changed: boolean;
}

/** Judges by words alone: English, and honest about what it cannot see (see docs/memory.md). */
export function judgeByRules(statement: string, candidates: readonly Candidate[]): Judgement {
  const said = gistOf(statement);
  for (const candidate of candidates) {
    if (candidate.near < relatedFrom) continue;
    const relation = relate(said, gistOf(candidate.text), candidate.near);
    if (relation !== "new") return { relation, candidate };
  }
  return { relation: "new", candidate: undefined };
}

function relate(said: Gist, known: Gist, near: number): Relation {
  const overlap = sharedShare(said.content, known.content);
  const aboutOne = agree(said, known);
  const otherValues = lacks(said.values, known.values) && lacks(known.values, said.values);
  if (said.negated !== known.negated && overlap > 0 && aboutOne) return "contradicts";
  if (otherValues && aboutOne && overlap >= sharedFrom) return "contradicts";
  if (said.changed && aboutOne && overlap > 0 && (otherValues || overlap < 1)) return "contradicts";
  if (isOtherValue(said, known) && near >= otherValueFrom && near < otherValueTo) return "contradicts";
  if (otherValues || (!aboutOne && near < sameFrom)) return "new";
  if (near >= sameFrom || (near >= similarFrom && overlap >= sharedFrom)) return "repeats";
  return "new";
}

/** Whether both speak of one subject: "logs" is also that of "we keep logs". */
function agree(a: Gist, b: Gist): boolean {
  if (a.subject.size === 0 && b.subject.size === 0) return true;
  const within = (inner: Gist, outer: Gist) =>
    inner.subject.size > 0 &&
    [...inner.subject].every((word) => outer.content.has(word) || outer.values.has(word));
  if (a.subject.size === 0) return within(b, a);
  if (b.subject.size === 0) return within(a, b);
  const named = [a.subjectValues, b.subjectValues] as const;
  if (named.every(({ size }) => size > 0) && sharedShare(...named) === 0) return false;
  return sameWords(a.subject, b.subject);
}

/** "My X is Y" and "My X is Z". */
function isOtherValue(a: Gist, b: Gist): boolean {
  return (
    a.equates &&
    b.equates &&
    a.subject.size > 0 &&
    sameWords(a.subject, b.subject) &&
    lacks(a.content, b.content) &&
    lacks(b.content, a.content)
  );
}

function sameWords(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return !lacks(a, b) && !lacks(b, a);
}

function lacks(words: ReadonlySet<string>, of: ReadonlySet<string>): boolean {
  return [...of].some((word) => !words.has(word));
}

function sharedShare(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const size = Math.min(a.size, b.size);
  return size === 0 ? 0 : [...a].filter((word) => b.has(word)).length / size;
}

function gistOf(text: string): Gist {
  const { words, verbAt } = parseSentence(text);
  const subject = new Set<string>();
  const subjectValues = new Set<string>();
  const content = new Set<string>();
  const values = new Set<string>();
  for (const [at, { normal, base, tags }] of words.entries()) {
    const word = normal.replace(/['’]s$/, "");
    if (isValue(word, tags)) {
      values.add(stem(word));
      if (at < verbAt) subjectValues.add(stem(word));
    } else if (word !== "" && !isStopWord(word) && !passing.has(word)) {
      const meaning = sameMeaning[word] ?? stem(base.replace(/['’]s$/, ""));
      content.add(meaning);
      if (at < verbAt && !tags.has("Adverb")) subject.add(meaning);
    }
  }
  return {
    ...{ subject, subjectValues, content, values },
    equates: words[verbAt]?.tags.has("Copula") ?? false,
    negated: negations.test(text),
    changed: changeWords.test(text),
  };
}

function isValue(word: string, tags: ReadonlySet<string>): boolean {
  return /\d/.test(word) || (!tags.has("Pronoun") && valueTags.some((tag) => tags.has(tag)));
}
