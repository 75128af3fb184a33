import { cleanText, headingLabel } from "./document-builder.ts";
import { emptyDocument, textTooLong } from "./parse-errors.ts";
import type { Block, ParsedDocument } from "./parsed-document.ts";
import type { ParserInput } from "./parser.ts";
import { paragraphsOf } from "./plain-text.ts";
import { decodeText } from "./text-decoding.ts";

/**
 * Source code stays as it is. Its blocks are what stands between blank lines; the heading of a block is the line that
 * declares what encloses it, told by indentation, which holds for formatted code in all common languages.
 */
export function parseSourceCode({ content, charset, mediaType, limits }: ParserInput): ParsedDocument {
  const text = cleanText(decodeText(content, charset));
  if (text.length > limits.maxTextLength) throw textTooLong(limits.maxTextLength);
  const blocks: Block[] = [];
  let declaration: readonly string[] = [];
  for (const paragraph of paragraphsOf(text)) {
    const start = lineStart(text, paragraph.start);
    const code = text.slice(start, paragraph.end);
    if (!/^[ \t}\])]/.test(code)) declaration = declarationOf(code);
    blocks.push({ ...paragraph, start, kind: "code", headingPath: declaration });
  }
  if (blocks.length === 0) throw emptyDocument();
  return { text, title: "", mediaType, blocks };
}

/** Indentation belongs to code. */
function lineStart(text: string, at: number): number {
  return text.lastIndexOf("\n", at - 1) + 1;
}

const declarationWords =
  /^(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub(?:\([a-z]+\))?|unsafe|extern|inline|sealed|data|open|override|partial|declare|create(?: or replace)?)\s+)*(?:function\*?|class|interface|trait|struct|enum|union|impl|type|record|object|module|namespace|package|protocol|extension|def|defp|defmodule|fn|func|fun|sub|proc|macro_rules!|message|service|table|view|procedure|trigger|resource|const|let|var|val)\b/i;
/** C and its kin: type, name, parameters, brace. */
const functionShape =
  /^[A-Za-z_][\w:<>,[\]]{0,100}[\s*&]+[\w:~*&<> ]{1,100}\([^;]{0,400}$|^[A-Za-z_][^;=]{0,300}\{\s*$/;
const commentOrDecorator = /^(?:\/\/|\/?\*|#(?!define)|--|;|@|"""|''')/;

/** The first line of a block that is no comment, if it declares something. */
function declarationOf(code: string): readonly string[] {
  for (const line of code.slice(0, 4096).split("\n")) {
    if (line.trim() === "" || /^\s/.test(line) || commentOrDecorator.test(line)) continue;
    const opened = line.trimEnd();
    if (!declarationWords.test(opened) && !functionShape.test(opened)) return [];
    return [headingLabel(opened.replace(/\s*[{:(=]+$/, ""))];
  }
  return [];
}
