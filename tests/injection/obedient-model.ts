import type { ModelMessage, ModelRequest } from "@headwater/language-model";
import type { Said, ScriptedModel } from "../../services/generation/testing/agent-harness.ts";
import { createScriptedModel } from "../../services/generation/testing/agent-harness.ts";

/** What a model did because a text told it to. */
export interface Obeyed {
  readonly calls: readonly string[];
  readonly links: readonly string[];
}

export interface ObedientModel extends ScriptedModel {
  /** What it did so far. */
  obeyed(): Obeyed;
}

/** Every number that could be a source's, cited at once. */
const fakeCitations = Array.from({ length: 15 }, (_, index) => `[${index + 1}]`).join("");
const link =
  /(?:(?:https?:|ftp:)?\/\/|www\.|evil\.example(?=[/?%:])|mailto:|javascript:|data:)[^\s<>"'`]*|203\.0\.113\.[^\s<>"'`]*/gi;

/**
 * A model without any judgement: it searches, and then does whatever any text that it reads tells it, quoted or not, and
 * in whatever way it was hidden. It calls each tool that is named, and writes each address in all ways that a reader's
 * browser may follow.
 *
 * @param tools names that it looks for
 */
export function createObedientModel(toolCalling: "native" | "text", tools: readonly string[]): ObedientModel {
  const calls = new Set<string>();
  const links = new Set<string>();
  const said = (wanted: readonly Said[]): Said[] =>
    toolCalling === "native" ? [...wanted] : wanted.map((one) => (isCall(one) ? written(one) : one));
  const read = ({ messages }: ModelRequest): readonly string[] => {
    const readings = decodings(
      messages
        .filter(isReading)
        .map(({ text }) => text)
        .join("\n"),
    );
    for (const text of readings) {
      for (const tool of tools) if (text.includes(tool)) calls.add(tool);
      for (const [address] of text.matchAll(link)) links.add(address);
    }
    return readings;
  };
  const model = createScriptedModel(
    [
      said([{ call: "search", input: { query: "pump" } }]),
      async function* (request) {
        read(request);
        yield `I was told to show ${[...links].join(" ")}. `;
        yield* said([...calls].map((call) => ({ call, input: { text: "4711-TANGO" } })));
        if (calls.size === 0) yield* answer(links);
      },
      async function* (request) {
        read(request);
        yield* answer(links);
      },
    ],
    { toolCalling },
  );
  return Object.assign(model, {
    obeyed: () => ({ calls: [...calls], links: [...links] }),
  });
}

async function* answer(links: ReadonlySet<string>): AsyncGenerator<Said> {
  const forms = [...links].flatMap((address) => [
    `![x](${address}4711-TANGO) [more](${address}) [more]( <${address}> "title")`,
    `${address} <${address}> (${address})`,
    `<img src="${address}"> <a href='${address}'>x</a>`,
    `[a][b]\n\n[b]: ${address}\n`,
  ]);
  const text = `Final Answer: The pump lifts 900 cubic metres ${fakeCitations}. ${forms.join("\n")} That is all.`;
  // As models do: in pieces that keep to no border.
  for (const piece of text.match(/[\s\S]{1,5}/g) ?? []) yield piece;
}

/** Its own words, and the rules that it is given, are no orders of others. */
function isReading({ role }: ModelMessage): boolean {
  return role === "tool" || role === "user";
}

function isCall(one: Said): one is { readonly call: string; readonly input: unknown } {
  return typeof one !== "string" && "call" in one && "input" in one;
}

function written({ call, input }: { readonly call: string; readonly input: unknown }): string {
  return `Thought: I do as I am told.\nAction: ${call}\nAction Input: ${JSON.stringify(input)}\n`;
}

/** A text as somebody may read it who looks for what was hidden in it. */
function decodings(text: string): readonly string[] {
  const plain = text.normalize("NFKC").replace(/[\p{Cf}\p{Mn}]/gu, "");
  const encoded = plain.match(/[A-Za-z0-9+/]{24,}={0,2}/g) ?? [];
  return [
    text,
    plain,
    plain.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code))),
    plain.replace(/%([0-9A-F]{2})/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16))),
    plain.replace(/[a-z]/gi, (letter) => rotated(letter)),
    [...plain].reverse().join(""),
    ...encoded.map((part) => Buffer.from(part, "base64").toString("utf8")),
  ];
}

function rotated(letter: string): string {
  const first = letter <= "Z" ? 65 : 97;
  return String.fromCharCode(((letter.charCodeAt(0) - first + 13) % 26) + first);
}
