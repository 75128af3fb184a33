import type { Hit } from "@headwater/client";
import type { Range } from "./route.ts";

/** Lines at least this long, in code units, are taken to be cut by an editor and not by the author. */
const wrappedLine = 60;

/**
 * Joins the lines of a text that was wrapped at a fixed width, so that it flows in the width there is. A line feed
 * becomes a space, so all offsets stay true. Short lines (verse), indented ones (tables, code) and lists keep theirs.
 */
export function unwrapped(text: string): string {
  return text.replace(/([^\n]+)\n(?=[^\s*\-–•#|>\d])/g, (both, line: string) =>
    line.length >= wrappedLine && !/^\s/.test(line) ? `${line} ` : both,
  );
}

/** What of a passage is shown: without the heading that it begins with, which stands above it already. */
export function passageBody({ text, headingPath, highlights, document }: Hit): {
  text: string;
  highlights: readonly Range[];
} {
  const heading = headingPath.at(-1);
  const skipped =
    heading && text.startsWith(`${heading}\n`)
      ? text.length - text.slice(heading.length).trimStart().length
      : 0;
  const body = text.slice(skipped);
  return {
    text: document.mediaType === "text/plain" ? unwrapped(body) : body,
    highlights: highlights
      .filter(({ end }) => end > skipped)
      .map(({ start, end }) => ({ start: Math.max(0, start - skipped), end: end - skipped })),
  };
}
