import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openAnswerSet, publicDomainSets } from "@headwater/evaluation";
import { sentences } from "@headwater/text";
import type { Passage } from "./retrieval.ts";

/** A retrieval collection in BEIR's layout. */
export interface Collection {
  readonly passages: readonly Passage[];
  readonly queries: readonly { readonly text: string; readonly relevant: ReadonlySet<string> }[];
}

/** Questions in natural language, with the words that answer them. */
export interface QuestionSet {
  readonly passages: readonly Passage[];
  readonly questions: readonly { readonly question: string; readonly evidence: readonly string[] }[];
}

/** About 256 tokens, ingest's default. */
const passageLength = 1000;

/** @param every takes each n-th query, to save time */
export function readCollection(folder: string, every: number): Collection {
  const relevant = new Map<string, Set<string>>();
  for (const line of readFileSync(join(folder, "qrels", "test.tsv"), "utf8")
    .trim()
    .split("\n")
    .slice(1)) {
    const [query = "", document = "", grade = "0"] = line.split("\t");
    if (Number(grade) > 0) relevant.set(query, (relevant.get(query) ?? new Set()).add(document));
  }
  return {
    passages: readLines(join(folder, "corpus.jsonl")).flatMap(({ _id, title, text }) =>
      text?.trim() ? [{ id: _id, title: title ?? "", text }] : [],
    ),
    queries: readLines(join(folder, "queries.jsonl"))
      .filter((_, index) => index % every === 0)
      .flatMap(({ _id, text = "" }) => {
        const found = relevant.get(_id);
        return found ? [{ text, relevant: found }] : [];
      }),
  };
}

/** A part of the set on public-domain texts that may be looked at. */
export async function readQuestionSet(part: "training" | "development"): Promise<QuestionSet> {
  const { folder, documents, questions } = await openAnswerSet(publicDomainSets[part]);
  return {
    passages: documents.flatMap((name) => cut(name, readFileSync(join(folder, name), "utf8"))),
    questions: questions.map(({ question, evidence }) => ({
      question,
      evidence: evidence.flat().map(({ quote }) => quote),
    })),
  };
}

/** Whole sentences of a section up to the length of a passage. */
function cut(name: string, text: string): Passage[] {
  const title = /^# (.*)$/m.exec(text)?.[1] ?? name;
  const headings: string[] = [];
  const passages: Passage[] = [];
  let start: number | undefined;
  let end = 0;
  const close = () => {
    if (start === undefined) return;
    const path = [title, ...headings].join(" > ");
    passages.push({ id: `${name}/${start}`, title: path, text: text.slice(start, end) });
    start = undefined;
  };
  for (const sentence of sentences(text)) {
    if (sentence.heading) {
      close();
      const level = /#*(?=\s*$)/.exec(text.slice(0, sentence.start))?.[0].length ?? 1;
      headings.splice(level - 1, headings.length, text.slice(sentence.start, sentence.end));
      continue;
    }
    if (start !== undefined && sentence.end - start > passageLength) close();
    start ??= sentence.start;
    end = sentence.end;
  }
  close();
  return passages;
}

function readLines(file: string): { _id: string; title?: string; text?: string }[] {
  return readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
