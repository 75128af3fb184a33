import { createHash } from "node:crypto";
import type { DeepPartial, ExportFeedbackResponse } from "@headwater/proto/services/headwater/v1/feedback";
import type { TimePlace } from "@headwater/rpc";
import type { FeedbackStore } from "./feedback-store.ts";

/** Questions, and feedback, that are read at once. */
const pageSize = 200;

type Line = DeepPartial<ExportFeedbackResponse>;

/** A question and what people think of its documents: 1 where more thumbs went up than down, else 0. */
export interface JudgedQuestion {
  readonly text: string;
  readonly judgements: ReadonlyMap<string, number>;
}

/** The tenant's judged questions, in order of their text. */
export async function* judgementsOf(store: FeedbackStore, tenant: string): AsyncGenerator<JudgedQuestion> {
  let after = "";
  while (true) {
    const page = Map.groupBy(await store.judgements(tenant, after, pageSize), ({ question }) => question);
    for (const [text, judged] of page) {
      const judgements = new Map(judged.map(({ documentId, balance }) => [documentId, balance > 0 ? 1 : 0]));
      yield { text, judgements };
      after = text;
    }
    if (page.size < pageSize) return;
  }
}

/** Judged questions in BEIR's layout (Thakur et al. 2021), and corrections in a file of their own. */
export async function* exportFeedback(store: FeedbackStore, tenant: string): AsyncGenerator<Line> {
  yield { file: "qrels.tsv", line: "query-id\tcorpus-id\tscore" };
  for await (const { text, judgements } of judgementsOf(store, tenant)) {
    const id = queryId(text);
    yield { file: "queries.jsonl", line: JSON.stringify({ _id: id, text }) };
    for (const [document, score] of judgements)
      yield { file: "qrels.tsv", line: `${id}\t${document}\t${score}` };
  }
  yield* corrections(store, tenant);
}

async function* corrections(store: FeedbackStore, tenant: string): AsyncGenerator<Line> {
  let before: TimePlace | undefined;
  while (true) {
    const page = await store.list(tenant, "", pageSize, before);
    for (const { question, correction, answerId, passageId, documentId, prompt, model } of page) {
      if (correction === "") continue;
      const line = JSON.stringify({
        _id: queryId(question),
        question,
        correction,
        answer_id: answerId,
        passage_id: passageId,
        document_id: documentId,
        ...(prompt ? { prompt: `${prompt.name}@${prompt.version}` } : {}),
        ...(model === "" ? {} : { model }),
      });
      yield { file: "corrections.jsonl", line };
    }
    const last = page.at(-1);
    if (!last?.createdTime || page.length < pageSize) return;
    before = { time: last.createdTime, id: last.id };
  }
}

/** The same question has the same id in each export. */
function queryId(question: string): string {
  return createHash("sha256").update(question).digest("hex").slice(0, 16);
}
