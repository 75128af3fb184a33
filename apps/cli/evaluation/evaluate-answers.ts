import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { HeadwaterClient } from "@headwater/client";
import { HeadwaterError, status } from "@headwater/errors";
import type {
  AnswerMeasures,
  AnswerSet,
  DocumentSpan,
  JudgedAnswer,
  MarkedQuestion,
} from "@headwater/evaluation";
import { locateQuote, measureAnswers, openAnswerSet } from "@headwater/evaluation";
import { median } from "@headwater/testing/median";
import type { Connection } from "../connection.ts";
import { table } from "../terminal/output.ts";

/** What a model's answers to a set are worth, and how long they took. */
export interface MeasuredModel extends AnswerMeasures {
  readonly model: string;
  /** Median of the server's milliseconds for an answer. */
  readonly medianMs: number;
}

/**
 * Loads a question set into a running Headwater, asks every question of each model, and takes the documents out again.
 *
 * @param models names; none: the server's default model
 * @param callers questions that are asked at once
 */
export async function evaluateAnswers(
  path: string,
  models: readonly string[],
  callers: number,
  connection: Connection,
): Promise<void> {
  const { client, output, signal } = connection;
  const set = await openAnswerSet(path);
  const show = (text: string) => {
    if (output.interactive) process.stderr.write(`\r\u001b[K${text}`);
  };
  try {
    show(`${set.name}: indexing ${set.documents.length} documents`);
    const texts = await loadDocuments(set, client, signal);
    const measured: MeasuredModel[] = [];
    for (const model of models.length > 0 ? models : [undefined]) {
      measured.push(
        await measureModel(set, texts, model, callers, connection, (done) =>
          show(`${set.name}, ${model ?? "default model"}: ${done}/${set.questions.length} questions`),
        ),
      );
    }
    show("");
    if (output.json) output.value({ set: set.name, documents: set.documents.length, models: measured });
    else {
      const { answerable = 0, unanswerable = 0 } = measured[0] ?? {};
      output.line(
        `${set.name}: ${set.documents.length} documents, ${answerable} questions with an answer, ${unanswerable} without`,
      );
      output.line(table([header, ...measured.map(row)]));
    }
  } finally {
    for (const id of set.documents) await client.documents.delete(id);
  }
}

const header = [
  "",
  "citation precision",
  "citation recall",
  "right refusals",
  "wrong refusals",
  "ms an answer",
];

function row({ model, medianMs, ...measures }: MeasuredModel): string[] {
  const { citationPrecision, citationRecall, rightRefusals, wrongRefusals } = measures;
  return [
    model,
    ...[citationPrecision, citationRecall, rightRefusals, wrongRefusals].map((value) => value.toFixed(3)),
    medianMs.toFixed(0),
  ];
}

/** @returns the extracted texts by document */
async function loadDocuments(
  set: AnswerSet,
  client: HeadwaterClient,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  async function* documents() {
    for (const id of set.documents) yield { id, uri: id, content: await readFile(join(set.folder, id)) };
  }
  for await (const { id, error } of client.documents.push(documents(), { signal })) {
    if (error) throw notLoaded(id, error.message);
  }
  const failures = new Map<string, string>();
  for await (const { id, state, failure } of client.documents.watch({
    ids: set.documents,
    untilSettled: true,
    signal,
  })) {
    if (state === "failed") failures.set(id, failure?.message ?? "no reason is known");
    else failures.delete(id);
  }
  for (const [id, message] of failures) throw notLoaded(id, message);
  const texts = new Map<string, string>();
  for (const id of set.documents) texts.set(id, (await client.documents.text(id, { signal })).text);
  return texts;
}

async function measureModel(
  set: AnswerSet,
  texts: ReadonlyMap<string, string>,
  model: string | undefined,
  callers: number,
  { client, signal }: Connection,
  onProgress: (done: number) => void,
): Promise<MeasuredModel> {
  const answers: JudgedAnswer[] = [];
  const milliseconds: number[] = [];
  let name = model ?? "";
  const ask = async ({ question, evidence }: MarkedQuestion) => {
    const citations: DocumentSpan[] = [];
    let refused = false;
    for await (const event of client.answer(question, {
      signal,
      ...(model === undefined ? {} : { model }),
    })) {
      if (event.type === "citation") citations.push({ document: event.document.id, ...event.evidence });
      if (event.type !== "end") continue;
      refused = event.reason === "no_support" || event.reason === "refused";
      name = event.model;
      milliseconds.push(event.milliseconds["total"] ?? 0);
    }
    const marked = evidence.map((quotes) =>
      quotes.map((quote) => ({
        document: quote.document,
        ...locateQuote(quote, texts.get(quote.document) ?? ""),
      })),
    );
    answers.push({ evidence: marked, citations, refused });
    onProgress(answers.length);
  };
  const waiting = set.questions.values();
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (const question of waiting) await ask(question);
    }),
  );
  return { model: name, ...measureAnswers(answers), medianMs: median(milliseconds) };
}

function notLoaded(id: string, message: string): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_ANSWER_SET_NOT_LOADED",
    message: `${id} was not taken in: ${message}`,
    action: "Mend the document, or take it out of the set.",
  });
}
