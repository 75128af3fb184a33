import { sentences } from "@headwater/text";
import type { Sentence, TaggedWord } from "./grammar.ts";
import { parseSentence } from "./grammar.ts";

/** Of one message; what comes after is not weighed. */
export const maxStatements = 12;
/** UTF-16 code units; longer ones are pasted text rather than something that is told. */
const maxLength = 300;

/** Text that is shown rather than told: code, and quoted lines. */
const shown = /```[\s\S]*?(?:```|(?![\s\S]))|`[^`\n]*`|^[ \t]*>.*$/gm;
/** Words before what is told: "Please remember that …". */
const opening =
  /^(?:(?:please|also|and|but|so|well|oh|hi|hello|hey|ok|okay|hmm|wow|ah|ha|sorry|thanks|great|by the way|btw|fyi|for the record|just so you know|as (?:i|we) (?:said|mentioned|told you)|(?:please )?(?:remember|note|keep in mind|don['’]t forget|be aware)(?: that)?|(?:you should|i want you to) know(?: that)?)(?:[,:]\s*|\s+(?=\S)))+/i;
/** Orders that are meant to last are told like facts: "Call me Sam." */
const lastingOrder = /^(?:always|never|from now on|call me|address me)\b/i;
/** What a person wants of the answer, now. */
const request =
  /^(?:i|we)(?:['’]d| would| just)* (?:want you|need you|like you|like to (?:know|ask|see)|want to (?:know|ask|see|understand)|need to know|wonder|have (?:a|one|another)(?: \w+)? question|need (?:some |your )?help|(?:am|are) (?:looking for|asking|wondering)|wish you)\b|^(?:i|we)['’](?:m|re) (?:looking for|asking|wondering)\b/i;
/** Where a sentence goes on with a clause that has a subject of its own. */
const clauseBorder =
  /(?:;\s+|,?\s+(?:and|but)\s+|,\s+so\s+)(?=(?:i|we|my|our|he|she|they|it)(?:['’]\w+)?\s)/i;

const openPronouns = new Set(["he", "she", "it", "they", "this", "that", "these", "those"]);
const contracted: Readonly<Record<string, string>> = {
  s: "is",
  re: "are",
  ll: "will",
  d: "would",
  ve: "have",
};
const speakers = new Set(["i", "we", "you"]);

/**
 * What a message states: single statements that can be understood by themselves, as they were said. Questions, requests
 * and orders state nothing; nor does a sentence about "it" or "them" whose subject was not named just before.
 */
export function statementsOf(message: string): string[] {
  const text = message.replace(shown, (part) => " ".repeat(part.length));
  const found: string[] = [];
  let subject: string | undefined;
  for (const { start, end } of sentences(text)) {
    if (end - start > maxLength) continue;
    const told = text.slice(start, end).replace(/\s+/g, " ").replace(opening, "");
    if (parseSentence(told).question) continue;
    for (const clause of told.split(clauseBorder)) {
      const named = nameSubject(clause.trim(), subject);
      if (named === undefined) continue;
      const sentence = parseSentence(named);
      if (!states(named, sentence)) continue;
      subject = subjectOf(sentence);
      found.push(...splitPredicates(named, sentence));
    }
  }
  return found.slice(0, maxStatements);
}

/** Whether it is worth a language model's time to look for statements: not where all is questions, requests and orders. */
export function mayState(message: string): boolean {
  const text = message.replace(shown, (part) => " ".repeat(part.length));
  return sentences(text).some(({ start, end }) => {
    const told = text.slice(start, end).replace(opening, "");
    const { words, question, order } = parseSentence(told);
    if (words.length < 2 || question || request.test(told)) return false;
    return !order || lastingOrder.test(told);
  });
}

function states(text: string, { words, question, order, verbAt }: Sentence): boolean {
  if (question || request.test(text)) return false;
  if (lastingOrder.test(text)) return true;
  // What is said of "you" is said of the assistant.
  if (words[0]?.normal === "you") return false;
  return !order && verbAt > 0 && words.length > 1;
}

/** Puts the subject before in the place of "he" or "it"; undefined where there is none. */
function nameSubject(clause: string, subject: string | undefined): string | undefined {
  const { words, verbAt } = parseSentence(clause);
  const before = words.slice(0, Math.max(0, verbAt)).filter(({ tags }) => !tags.has("Adverb"));
  const [pronoun, ...others] = before;
  if (pronoun === undefined || others.length > 0 || !openPronouns.has(pronoun.normal))
    return capitalized(clause);
  if (subject === undefined) return undefined;
  return capitalized(
    clause.replace(new RegExp(`\\b${pronoun.normal}(?:['’](\\w+))?\\b`, "i"), (_, verb?: string) =>
      verb === undefined ? subject : `${subject} ${contracted[verb.toLowerCase()] ?? verb}`,
    ),
  );
}

/** "My dog" of "My dog is old"; undefined for the speaker. */
function subjectOf({ words, verbAt }: Sentence): string | undefined {
  const subject = words.slice(0, verbAt);
  if (subject.some(({ normal }) => speakers.has(normal) || openPronouns.has(normal))) return undefined;
  return subject.map(({ text }) => text).join(" ");
}

/** "I am 34 and work at Siemens": two statements of one speaker. */
function splitPredicates(text: string, { words, verbAt }: Sentence): string[] {
  const speaker = words[0];
  if (speaker === undefined || !speakers.has(speaker.normal)) return [text];
  const and = words.findIndex(
    ({ normal }, at) =>
      normal === "and" &&
      at > verbAt + 1 &&
      !has(words[at - 1], "Verb") &&
      has(words[at + 1], "PresentTense"),
  );
  if (and < 0) return [text];
  const rest = words.slice(and + 1).map(({ text: word }) => word);
  const at = text.lastIndexOf(` and ${rest[0]}`);
  if (at < 0) return [text];
  return [
    text.slice(0, at).replace(/,$/, ""),
    `${speaker.normal === "i" ? "I" : capitalized(speaker.normal)}${text.slice(at + 4)}`,
  ];
}

function has(word: TaggedWord | undefined, tag: string): boolean {
  return word?.tags.has(tag) ?? false;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
