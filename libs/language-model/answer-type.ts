import { isStopWord, words } from "@headwater/text";

/** What kind of thing a question asks for. */
export type AnswerType = "number" | "money" | "measure" | "time" | "person" | "place" | "other";

const kinds: readonly (readonly [AnswerType, RegExp])[] = [
  ["other", /\bwhy\b/i],
  ["money", /\b(?:cost|price|salary)\b|\bhow much (?:money|did|does|is|was)\b/i],
  ["measure", /\bhow (?:high|tall|deep|long|far|large|big|old|fast)\b/i],
  [
    "number",
    /\bhow (?:many|much|often)\b|\b(?:what|which) (?:share|percentage|age|number|majority)\b|\brate\b/i,
  ],
  ["time", /\bwhen\b|\b(?:what|which) (?:year|day|date|month|century)\b/i],
  ["person", /\b(?:who|whom|whose)\b/i],
  ["place", /\bwhere\b|\b(?:what|which) (?:country|city|town|place|building|lake|state)\b/i],
];

const number =
  /(?<![\w-])\d[\d,.]*(?:st|nd|rd|th)?(?!\w)|%|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|forty|fifty|hundred|thousand|million|billion|half|halved|dozen|twice|quarters?|single|only one|no)\b/gi;
const year = /^(?:1[5-9]|20)\d\d[.,]*$/;
const money =
  /[$£€]|\b(?:dollars?|pounds?|shillings?|sixpence|cents?|price[ds]?|costs?|paid|fees?|salary|wages?|subsid\w+)\b/i;
const measure =
  /\d[\d,.]*\s?(?:m|km|cm|mm|feet|foot|ft|miles?|inches|met(?:er|re)s?|kilomet\w+|sq|yards?|bytes|[kmg]i?b|%|percent|years?|hours?|minutes?|days?|weeks?|months?)\b|\b(?:feet|miles|yards|years|inches|half|twice|times)\b/i;
const time =
  /\b1\d{3}s?\b|\b20\d\ds?\b|\bA\.D\. \d+|\d+ B\.C|\bcentur(?:y|ies)\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b/g;
const person =
  /\b\p{Lu}[\p{L}’']+|\b(?:king|queen|president|emperor|students?|directors?|authors?|minister|mayor|guards?|captain|developers?|engineers?|group|company|board|people|tribes?|gentlemen|settlers|immigrants|justice)\b/gu;
const place = /(?<!^)\b\p{Lu}[\p{L}’']+|\b(?:in|at|on|from|near)\b/gu;

export function answerTypeOf(question: string): AnswerType {
  return kinds.find(([, pattern]) => pattern.test(question))?.[0] ?? "other";
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
    case "number":
      return some(number, isNumber);
    case "money":
      return some(number, isNumber) && money.test(sentence);
    case "measure":
      return some(number, isNumber) && measure.test(sentence);
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
