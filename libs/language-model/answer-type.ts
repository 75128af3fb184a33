import type { Word } from "@headwater/text";
import { isStopWord, words } from "@headwater/text";

/** What kind of thing a question asks for. */
export type AnswerType = "money" | "quantity" | "time" | "person" | "place" | "other";

const askingWords = new Set(["who", "whom", "whose", "what", "which", "when", "where", "why", "how"]);
/** Of the word that asks and what follows. */
const kinds: readonly (readonly [AnswerType, RegExp])[] = [
  ["money", /^(?:what|how much)\b.*\b(?:cost|price|salary)\b|^how much money\b/i],
  [
    "quantity",
    /^how (?:many|much|high|tall|deep|long|far|large|big|old|fast)\b|^(?:what|which) (?:share|percentage|age|number|majority)\b|\brate\b/i,
  ],
  // In the present tense it asks for a condition.
  ["time", /^when (?:did|was|were|had)\b|^(?:what|which) (?:year|day|date|month|century)\b/i],
  ["person", /^(?:who|whom|whose)\b/i],
  ["place", /^where\b|^(?:what|which) (?:country|city|town|place|building|lake|state)\b/i],
];

const number =
  /(?<![\w-])\d[\d,.]*(?:st|nd|rd|th)?(?!\w)|%|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|forty|fifty|hundred|thousand|million|billion|half|halved|dozens?|thirds?|twice|quarters?|single|only one|no)\b/gi;
const year = /^(?:1[5-9]|20)\d\d[.,]*$/;
const money =
  /[$£€]|\b(?:dollars?|pounds?|shillings?|sixpence|cents?|price[ds]?|costs?|paid|fees?|salary|wages?|subsid\w+)\b/i;
const time =
  /\b1\d{3}s?\b|\b20\d\ds?\b|\bA\.D\. \d+|\d+ B\.C|\bcentur(?:y|ies)\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b/g;
const person =
  /\b\p{Lu}[\p{L}’']+|\b(?:king|queen|president|emperor|students?|directors?|authors?|minister|mayor|guards?|captain|developers?|engineers?|group|company|board|people|tribes?|gentlemen|settlers|immigrants|justice)\b/gu;
const place = /(?<!^)\b\p{Lu}[\p{L}’']+|\b(?:in|at|on|from|near)\b/gu;

/** The first of its words that asks ("who" and "when" further on only join clauses), else the first word. */
export function askingWord(question: string): Word | undefined {
  const all = words(question);
  return all.find(({ text }) => askingWords.has(text)) ?? all[0];
}

export function answerTypeOf(question: string): AnswerType {
  const asked = question.slice(askingWord(question)?.start);
  return kinds.find(([, pattern]) => pattern.test(asked))?.[0] ?? "other";
}

/**
 * True where a sentence has something of the kind that a question asks for, beside what the question says itself. A
 * sentence without a number answers no "how many".
 */
export function hasAnswerType(question: string, sentence: string): boolean {
  const asked = new Set(words(question).map(({ text }) => text));
  const isNew = (found: string) => words(found).some(({ text }) => !asked.has(text));
  const some = (pattern: RegExp, allowed: (found: string) => boolean = isNew) =>
    [...sentence.matchAll(pattern)].some(([found]) => allowed(found));
  const isNumber = (found: string) => (found === "%" || isNew(found)) && !year.test(found);
  switch (answerTypeOf(question)) {
    case "quantity":
      return some(number, isNumber);
    case "money":
      return some(number, isNumber) && money.test(sentence);
    case "time":
      return some(time);
    case "person":
      return some(person, (found) => isNew(found) && !isStopWord(found.toLowerCase()));
    case "place":
      return some(place);
    case "other":
      return true;
  }
}
