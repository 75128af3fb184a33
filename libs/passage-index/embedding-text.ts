import type { Passage } from "./passage-index.ts";

/**
 * What is embedded, reranked and lexically indexed for a passage: title and heading path on lines before its text, so
 * that a passage from the middle of a document still says what it is about. What the text itself begins with is not
 * said twice: it would only push the text towards the model's limit.
 */
export function embeddingText(passage: Pick<Passage, "title" | "headingPath" | "text">): string {
  if (passage.title === "" && passage.headingPath.length === 0) return passage.text;
  const lines: string[] = [];
  const start = normalize(passage.text.slice(0, 2048));
  for (const line of [passage.title, ...passage.headingPath]) {
    const words = normalize(line);
    if (words === "" || start.startsWith(words) || lines.some((other) => normalize(other) === words))
      continue;
    lines.push(line.trim());
  }
  lines.push(passage.text);
  return lines.join("\n");
}

/** Letters and digits only, so that "# Title" and "Title." count as the same. */
function normalize(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim();
}
