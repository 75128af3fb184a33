import type { ModelMessage } from "@headwater/language-model";
import { contentStems, isStopWord, stem, words } from "@headwater/text";

/** Messages of the person that are looked back through for what is talked about. */
const maxLookBack = 4;
/** Content words with which a message without pronouns is taken to stand for itself. */
const enoughContent = 2;

const pronouns = new Set("it they them he she him this that these those".split(" "));
const possessives = new Set("its their theirs his her hers".split(" "));
/** "What about …", "And …": the rest of the question was said before. */
const continues = /^\s*(?:and|but|or|so|what about|how about|what of|same for|also)\b/i;
/** "How many worked there?"; "Is there …" asks for no place that was named. */
const pointsBack = /\b(?:there|then|so)\s*[?.!]*\s*$/i;
const nameWord = /^\p{Lu}/u;
/** Words that stand within names. */
const nameLinks = new Set("of the du de la le des and van von der".split(" "));

interface Said {
  readonly question: string;
  /** What was answered; empty: nothing. */
  readonly answer: string;
}

/**
 * A question as it can be searched without what was said before it, by rules alone: where it leans on the history by a
 * pronoun, an ellipsis or for want of content words, the subject of the question before takes their place. The subject
 * is the names in that question; without names, its words that the answer took up.
 *
 * @param history messages before it, oldest first
 * @returns the message itself where it stands for itself
 */
export function resolveFollowUp(message: string, history: readonly ModelMessage[]): string {
  return resolve(message, exchanges(history).slice(-maxLookBack));
}

function resolve(message: string, said: readonly Said[]): string {
  const last = said.at(-1);
  if (!last || !leansOnHistory(message)) return message;
  const before = resolve(last.question, said.slice(0, -1));
  const subject = subjectOf(before, last.answer);
  if (subject === "") return message;
  if (continues.test(message)) return `${message.trim()} ${withoutKnown(contentOf(before), message)}`.trim();
  return putSubject(message, subject);
}

export function leansOnHistory(message: string): boolean {
  const said = words(message);
  if (continues.test(message) || pointsBack.test(message)) return true;
  if (said.some(({ text }) => pronouns.has(text) || possessives.has(text))) return true;
  return new Set(contentStems(message)).size < enoughContent;
}

/** The first pronoun becomes the subject; where there is none, the subject is added. */
function putSubject(message: string, subject: string): string {
  for (const { start, end, text } of words(message)) {
    const possessive = possessives.has(text);
    if (!possessive && !pronouns.has(text)) continue;
    // "that river": what follows says what is meant only together with the subject.
    const replacement = possessive ? `${subject}'s` : subject;
    return message.slice(0, start) + replacement + message.slice(end);
  }
  return `${message.trim()} ${subject}`;
}

function subjectOf(question: string, answer: string): string {
  const names = namesIn(question);
  if (names.length > 0) return names.join(" ");
  const answered = new Set(contentStems(answer));
  const taken = words(question).filter(
    ({ text }) => !isStopWord(text) && (answered.size === 0 || answered.has(stem(text))),
  );
  return taken.length > 0 ? taken.map(({ text }) => text).join(" ") : contentOf(question);
}

/** Runs of capitalised words, without the one that only begins the sentence. */
function namesIn(question: string): string[] {
  const names: string[] = [];
  let run: string[] = [];
  const close = () => {
    while (run.length > 0 && nameLinks.has(run.at(-1)?.toLowerCase() ?? "")) run.pop();
    if (run.length > 0) names.push(run.join(" "));
    run = [];
  };
  let begins = true;
  for (const { start, end, text } of words(question)) {
    const written = question.slice(start, end);
    const isName = nameWord.test(written) && !(begins && isStopWord(text)) && text !== "i";
    if (isName && !(begins && !question.slice(end).match(/^\s+\p{Lu}/u))) run.push(written);
    else if (run.length > 0 && nameLinks.has(text)) run.push(written);
    else close();
    begins = false;
  }
  close();
  return names;
}

function contentOf(text: string): string {
  return words(text)
    .flatMap((word) => (isStopWord(word.text) ? [] : [text.slice(word.start, word.end)]))
    .join(" ");
}

function withoutKnown(content: string, message: string): string {
  const known = new Set(contentStems(message));
  return words(content)
    .flatMap(({ start, end, text }) => (known.has(stem(text)) ? [] : [content.slice(start, end)]))
    .join(" ");
}

/** Questions with their answers. */
function exchanges(history: readonly ModelMessage[]): Said[] {
  const said: Said[] = [];
  for (const { role, text } of history) {
    const last = said.at(-1);
    if (role === "user") said.push({ question: text, answer: "" });
    else if (role === "assistant" && last)
      said[said.length - 1] = { ...last, answer: `${last.answer} ${text}` };
  }
  return said;
}
