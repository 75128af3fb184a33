import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBeirCollection, summarize } from "@headwater/evaluation";
import { startStack } from "../stack/stack.ts";
import type { Output } from "../terminal/output.ts";
import { table } from "../terminal/output.ts";
import type { RankingName } from "./run-collection.ts";
import { loadCollection, rankings, runQueries } from "./run-collection.ts";

const anyPort = "127.0.0.1:0";

/**
 * Measures retrieval on BEIR collections, each in services and a data folder of its own, with the settings of the
 * environment: what is printed is what a user with these settings gets.
 */
export async function evaluate(folders: readonly string[], output: Output): Promise<void> {
  for (const folder of folders) {
    const collection = await openBeirCollection(folder);
    const dataFolder = await mkdtemp(join(tmpdir(), "headwater-eval-"));
    const environment = {
      ...process.env,
      HEADWATER_DATA_DIR: dataFolder,
      HEADWATER_EMBEDDING_LISTEN: anyPort,
      HEADWATER_INGEST_LISTEN: anyPort,
      HEADWATER_SEARCH_LISTEN: anyPort,
    };
    const show = (text: string) => {
      if (output.interactive) process.stderr.write(`\r\u001b[K${text}`);
    };
    const stack = await startStack(["embedding-worker", "ingest", "search"], environment, "error");
    try {
      const documents = await loadCollection(collection, stack.address("ingest"), (done, pushed) =>
        show(`${collection.name}: ${done}/${pushed} documents indexed`),
      );
      const runs = await runQueries(collection, stack.address("search"), (done) =>
        show(`${collection.name}: ${done}/${collection.queries.length} queries`),
      );
      show("");
      const measured = (Object.keys(rankings) as RankingName[]).map((name) => ({
        ranking: name,
        ...summarize(runs[name], collection.judgements),
      }));
      if (output.json) {
        output.value({
          collection: collection.name,
          documents,
          queries: collection.queries.length,
          rankings: measured,
        });
      } else {
        output.line(`${collection.name}: ${documents} documents, ${collection.queries.length} queries`);
        output.line(
          table([
            ["", "nDCG@10", "recall@100", "MRR"],
            ...measured.map(({ ranking, ndcg10, recall100, mrr }) => [
              ranking,
              ndcg10.toFixed(4),
              recall100.toFixed(4),
              mrr.toFixed(4),
            ]),
          ]),
        );
        output.line();
      }
    } finally {
      await stack.close(2000);
      await rm(dataFolder, { recursive: true, force: true });
    }
  }
}
