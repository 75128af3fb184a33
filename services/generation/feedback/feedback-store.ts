import { randomUUID } from "node:crypto";
import type { Feedback, Rating } from "@headwater/proto/services/headwater/v1/feedback";
import type { RecordStore } from "@headwater/record-store";
import type { TimePlace } from "@headwater/rpc";

interface Row {
  id: string;
  owner: string;
  answer_id: string;
  question: string;
  passage_id: string;
  document_id: string;
  rating: number;
  correction: string;
  comment: string;
  prompt_name: string | null;
  prompt_version: number | null;
  model: string;
  created_at: Date;
}

const columns =
  "id, owner, answer_id, question, passage_id, document_id, rating, correction, comment, prompt_name, prompt_version, model, created_at";

/** A judgement on a document for a question, over all who gave one. */
export interface Judgement {
  readonly question: string;
  readonly documentId: string;
  /** Ups less downs. */
  readonly balance: number;
}

/** What people say, in the record store. */
export class FeedbackStore {
  readonly #records: RecordStore;

  constructor(records: RecordStore) {
    this.#records = records;
  }

  /** Replaces what the owner said before of the same subject; the id stays. */
  async put(tenant: string, owner: string, feedback: Feedback): Promise<Feedback> {
    const [row] = await this.#records.query<Row>(
      `INSERT INTO feedback (tenant, ${columns.replace(", created_at", "")})
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
       ON CONFLICT (tenant, owner, answer_id, passage_id, md5(question)) DO UPDATE SET
         document_id = excluded.document_id, rating = excluded.rating, correction = excluded.correction,
         comment = excluded.comment, prompt_name = excluded.prompt_name,
         prompt_version = excluded.prompt_version, model = excluded.model, created_at = excluded.created_at
       RETURNING ${columns}`,
      [
        tenant,
        randomUUID(),
        owner,
        feedback.answerId,
        feedback.question,
        feedback.passageId,
        feedback.documentId,
        feedback.rating,
        feedback.correction,
        feedback.comment,
        feedback.prompt?.name ?? null,
        feedback.prompt?.version ?? null,
        feedback.model,
      ],
    );
    if (!row) throw new TypeError("an INSERT … RETURNING gave no row");
    return toFeedback(row);
  }

  /** Newest first. */
  async list(
    tenant: string,
    answerId: string,
    limit: number,
    before: TimePlace | undefined,
  ): Promise<Feedback[]> {
    const rows = await this.#records.query<Row>(
      `SELECT ${columns} FROM feedback
       WHERE tenant = $1 AND ($2 = '' OR answer_id = $2)
         AND ($4::timestamptz IS NULL OR (created_at, id) < ($4::timestamptz, $5::uuid))
       ORDER BY created_at DESC, id DESC LIMIT $3`,
      [tenant, answerId, limit, before?.time ?? null, before?.id ?? null],
    );
    return rows.map(toFeedback);
  }

  /** Judgements on documents, in order of question; `after` is the question that the page before ended with. */
  async judgements(tenant: string, after: string, questions: number): Promise<Judgement[]> {
    return await this.#records.query<Judgement>(
      `WITH page AS (
         SELECT question FROM feedback
         WHERE tenant = $1 AND document_id <> '' AND rating <> 0 AND question COLLATE "C" > $2
         GROUP BY question ORDER BY question COLLATE "C" LIMIT $3
       )
       SELECT question, document_id AS "documentId", sum(CASE rating WHEN 1 THEN 1 ELSE -1 END)::int AS balance
       FROM feedback JOIN page USING (question)
       WHERE tenant = $1 AND document_id <> '' AND rating <> 0
       GROUP BY question, document_id ORDER BY question COLLATE "C", document_id COLLATE "C"`,
      [tenant, after, questions],
    );
  }

  async delete(tenant: string, owner: string, id: string): Promise<void> {
    await this.#records.query("DELETE FROM feedback WHERE tenant = $1 AND owner = $2 AND id = $3", [
      tenant,
      owner,
      id,
    ]);
  }
}

function toFeedback(row: Row): Feedback {
  return {
    id: row.id,
    owner: row.owner,
    answerId: row.answer_id,
    question: row.question,
    passageId: row.passage_id,
    documentId: row.document_id,
    rating: row.rating as Rating,
    correction: row.correction,
    comment: row.comment,
    prompt:
      row.prompt_name === null ? undefined : { name: row.prompt_name, version: row.prompt_version ?? 0 },
    model: row.model,
    createdTime: row.created_at,
  };
}
