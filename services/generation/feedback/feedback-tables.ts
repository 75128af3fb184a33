import type { Tables } from "../migrations.ts";

/**
 * One row for what an owner says of one subject, of which the question is a part: by its hash, since an index takes no long
 * text. Times are to the millisecond, as a Date is, so that a page goes on where the one before ended.
 */
export const feedbackTables: Tables = {
  name: "feedback",
  sql: `
    CREATE TABLE feedback (
      id uuid PRIMARY KEY,
      tenant text NOT NULL,
      owner text NOT NULL,
      answer_id text NOT NULL,
      question text NOT NULL,
      passage_id text NOT NULL,
      document_id text NOT NULL,
      rating smallint NOT NULL,
      correction text NOT NULL,
      comment text NOT NULL,
      prompt_name text,
      prompt_version integer,
      model text NOT NULL,
      created_at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
    );
    CREATE UNIQUE INDEX feedback_subject
      ON feedback (tenant, owner, answer_id, passage_id, md5(question));
    CREATE INDEX feedback_newest ON feedback (tenant, created_at DESC, id DESC);`,
};
