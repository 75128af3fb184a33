/** Always followed by the rest of their sentence. */
const titles = new Set(
  `dr mr mrs ms mx prof rev hon sr jr st gen col maj capt lt sgt cmdr gov sen rep pres
  e.g i.e cf vs viz approx ca fig figs eq eqs eqn eqns ref refs al ed eds trans resp incl esp`.split(/\s+/),
);
/** Only where a number follows: "No. 5", "Jan. 3", "pp. 4-9"; otherwise they may end a sentence. */
const beforeNumbers = new Set(
  `no nos p pp vol vols ch chap sec sect sects art para par tab pt bk cl ver
  jan feb mar apr jun jul aug sep sept oct nov dec`.split(/\s+/),
);
const lastWord = /(?:^|[\s([{"'“‘])((?:\p{L}+\.)*\p{L}+)\.$/u;
const initial = /^\p{Lu}$/u;
const afterName = /(?:^|[\s([{"'“‘])(?:\p{Lu}[\p{L}'’-]*|\p{Lu}\.|and|&)\s+$/u;
const listNumber = /^\s*[([]?(?:\d{1,3}|\p{L}|[ivxlc]{1,5})[.)]$/u;

/**
 * True where the full stop at the end of `text` belongs to an abbreviation, an initial or a number of a list, so that
 * the sentence goes on with `next`.
 */
export function endsInAbbreviation(text: string, next: string): boolean {
  if (listNumber.test(text)) return true;
  const match = lastWord.exec(text);
  if (!match?.[1]) return false;
  const word = match[1];
  if (titles.has(word.toLowerCase())) return true;
  if (beforeNumbers.has(word.toLowerCase())) return /^\d/.test(next);
  if (initial.test(word))
    return /^\p{Lu}/u.test(next) && (/^\p{Lu}\.\s/u.test(next) || followsName(text.slice(0, -2)));
  // U.S. Army, but: in the U.S. The …; a capital after initials is a name unless it starts with a function word.
  return (
    /^(?:\p{Lu}\.)+\p{Lu}$/u.test(word) &&
    !/^(?:The|This|That|It|In|He|She|They|We|A|An|But|And)\b/.test(next)
  );
}

/** "J. Smith" at the start, or "John F. Kennedy"; but not "vitamin C. The dose". */
function followsName(before: string): boolean {
  return before.trim() === "" || afterName.test(before);
}
