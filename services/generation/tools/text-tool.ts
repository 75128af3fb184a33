import { words } from "@headwater/text";
import { createTwoFilesPatch, diffWordsWithSpace } from "diff";
import { RE2JS, RE2JSException } from "re2js";
import type { Tool, ToolOutcome } from "./tool.ts";

/** Code units. */
const maxTextLength = 100_000;
const maxPatternLength = 500;
const maxMatches = 200;
/** Milliseconds for a comparison, which takes quadratic time where two texts share nothing. */
const compareTimeoutMs = 1000;
/** Texts of one line and up to this many code units are compared word by word. */
const maxWordwise = 2000;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Counts, finds and compares exactly what a model only guesses, as it reads tokens and no letters. */
export function createTextTool(): Tool {
  return {
    name: "text",
    description:
      'Works on text exactly. "count": characters, words, lines, and how often a pattern occurs. "extract": all that matches a pattern. "compare": where two texts differ.',
    parameters: {
      type: "object",
      properties: {
        operation: { enum: ["count", "extract", "compare"] },
        text: { type: "string", maxLength: maxTextLength },
        pattern: {
          type: "string",
          minLength: 1,
          maxLength: maxPatternLength,
          description: "Of count and extract: a regular expression in RE2's syntax, without look-around",
        },
        ignore_case: { type: "boolean" },
        other: { type: "string", maxLength: maxTextLength, description: "Of compare: the other text" },
      },
      required: ["operation", "text"],
      additionalProperties: false,
    },
    source: "built-in",
    needsApproval: false,
    // What it works on may be a document's.
    untrusted: true,
    async run({ operation, text, pattern, ignore_case: ignoreCase, other }): Promise<ToolOutcome> {
      const subject = String(text);
      if (operation === "compare") {
        if (typeof other !== "string") return { text: "Give the other text as `other`.", failed: true };
        return compare(subject, other);
      }
      if (pattern === undefined) {
        if (operation === "count") return { text: measure(subject), failed: false };
        return { text: "Give what to extract as `pattern`.", failed: true };
      }
      try {
        const expression = RE2JS.compile(String(pattern), ignoreCase === true ? RE2JS.CASE_INSENSITIVE : 0);
        const found = matches(expression, subject);
        return { text: operation === "count" ? tally(found, subject) : listed(found), failed: false };
      } catch (thrown) {
        if (!(thrown instanceof RE2JSException)) throw thrown;
        return {
          text: `The pattern cannot be read: ${thrown.message}. Write it in RE2's syntax.`,
          failed: true,
        };
      }
    },
  };
}

interface Match {
  readonly text: string;
  readonly start: number;
}

function matches(expression: RE2JS, subject: string): Match[] {
  const matcher = expression.matcher(subject);
  const found: Match[] = [];
  while (matcher.find()) found.push({ text: matcher.group() ?? "", start: matcher.start() });
  return found;
}

function measure(text: string): string {
  const graphemes = [...segmenter.segment(text)].length;
  const lines = text === "" ? 0 : text.split(/\r\n|\r|\n/).length;
  return `${graphemes} characters, ${words(text).length} words, ${lines} lines, ${text.length} UTF-16 code units, ${Buffer.byteLength(text)} bytes of UTF-8`;
}

function tally(found: readonly Match[], text: string): string {
  return `${found.length} matches. The text has ${measure(text)}.`;
}

function listed(found: readonly Match[]): string {
  if (found.length === 0) return "Nothing matches.";
  const shown = found.slice(0, maxMatches).map(({ text, start }) => `at ${start}: ${text}`);
  const more = found.length > maxMatches ? [`${found.length - maxMatches} more are not shown.`] : [];
  return [...shown, ...more].join("\n");
}

function compare(one: string, other: string): ToolOutcome {
  if (one === other) return { text: "The texts are equal.", failed: false };
  const options = { timeout: compareTimeoutMs };
  const wordwise = one.length + other.length <= maxWordwise && !`${one}${other}`.includes("\n");
  const told = wordwise
    ? diffWordsWithSpace(one, other, options)
        ?.map(({ added, removed, value }) => (added ? `{+${value}+}` : removed ? `[-${value}-]` : value))
        .join("")
    : createTwoFilesPatch("text", "other", one, other, "", "", { ...options, context: 1 });
  if (told !== undefined) return { text: told, failed: false };
  return { text: "The texts differ too much to compare them.", failed: true };
}
