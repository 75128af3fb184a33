import type { Command } from "commander";
import { createOutput } from "../terminal/output.ts";

export function addEvalCommand(program: Command): void {
  program
    .command("eval <folders...>")
    .description(
      "measure retrieval on collections in BEIR's layout (corpus.jsonl, queries.jsonl, qrels/*.tsv)",
    )
    .option("--json", "print JSON, one collection a line")
    .addHelpText(
      "after",
      `
Each collection is indexed anew in services and a folder of its own, with the settings of the environment; a running
server is not touched. Prints nDCG@10, recall@100 and MRR of BM25, dense, fused and reranked rankings of documents.`,
    )
    .action(async (folders: string[], { json }: { json?: boolean }) => {
      const { evaluate } = await import("../evaluation/evaluate.ts");
      await evaluate(folders, createOutput(json === true));
    });
}
