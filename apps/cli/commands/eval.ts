import { importPart } from "@headwater/errors";
import type { Command } from "commander";
import type { ConnectionOptions } from "../connection.ts";
import { withClient, withEvaluationTenant } from "../connection.ts";
import { wholeNumber } from "../number-option.ts";
import { createOutput } from "../terminal/output.ts";

interface AnswersOptions extends ConnectionOptions {
  readonly model: readonly string[];
  readonly callers: number;
}

export function addEvalCommand(program: Command): void {
  const command = program
    .command("eval")
    .argument("[folders...]")
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
      if (folders.length === 0) command.error("error: missing required argument 'folders'");
      const { evaluate } = await importPart(
        "`headwater eval`",
        () => import("../evaluation/evaluate.ts"),
        "Run it from a checkout; `headwater eval answers` asks a running server.",
      );
      await evaluate(folders, createOutput(json === true));
    });
  addAnswersCommand(command);
}

function addAnswersCommand(evaluation: Command): void {
  const command = evaluation
    .command("answers [folder]")
    .description("measure answers of a running server on questions with marked evidence")
    .option("--model <name>", "language model, may be named again; default: the server's", collect, [])
    .option("--callers <count>", "questions asked at once, 1 to 64", wholeNumber(1, 64), 1)
    .addHelpText(
      "after",
      `
The folder has documents/ and questions.jsonl; without one, the set on public-domain texts is asked that nothing is
tuned on. Its documents are put into a tenant of their own and taken out again. Prints citation precision, citation
recall, and the shares of right and of wrong refusals; docs/answer-quality.md defines them and the set's format.`,
    );
  withEvaluationTenant(command).action((folder: string | undefined) => {
    // With those of `eval`, which takes --json wherever it stands.
    const options = command.optsWithGlobals<AnswersOptions>();
    return withClient(options, async (connection) => {
      const { evaluateAnswers } = await import("../evaluation/evaluate-answers.ts");
      const { publicDomainSets } = await import("@headwater/evaluation");
      await evaluateAnswers(folder ?? publicDomainSets.test, options.model, options.callers, connection);
    });
  });
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
