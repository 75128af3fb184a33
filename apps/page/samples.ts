/** The sample corpus as the page is told of it: `samples/` of the repository, listed when the page is built. */
import { globSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import type { SampleManifest } from "./state/samples.ts";

const mediaTypes: Readonly<Record<string, string>> = {
  ".csv": "text/csv",
  ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  ".html": "text/html",
  ".jsonl": "application/jsonl",
  ".md": "text/markdown",
  ".pdf": "application/pdf",
  ".txt": "text/plain",
};

/** What describes the corpus and does not belong to it. */
const notDocuments = new Set(["README.md"]);

/** Not among the documents, or `headwater ingest samples` would make answers of the questions. */
const questionsFile = join(import.meta.dirname, "sample-questions.json");

export function readSamples(folder: string): SampleManifest {
  const documents = globSync("**/*", { cwd: folder })
    .sort()
    .filter((path) => statSync(join(folder, path)).isFile() && !notDocuments.has(path))
    .map((path) => {
      const mediaType = mediaTypes[extname(path)];
      if (mediaType === undefined)
        throw new Error(`samples/${path}: no media type is known for ${extname(path)}; add it here`);
      return { path, mediaType, bytes: statSync(join(folder, path)).size };
    });
  const { questions }: Pick<SampleManifest, "questions"> = JSON.parse(readFileSync(questionsFile, "utf8"));
  return { documents, questions: questions.map(({ question, answerable }) => ({ question, answerable })) };
}
