import { type HeadwaterError, status } from "@headwater/errors";
import type { ClientBase } from "pg";
import { DatabaseError } from "pg";
import { fromPostgres } from "./postgres-error.ts";
import { postgresTypes, toParameter } from "./postgres-values.ts";
import type { RecordValue } from "./record-store.ts";

/** Milliseconds beyond the server's own limit after which an answer is taken for one that will never come. */
const answerGraceMs = 5000;

/** A statement as pg takes it; its types leave out two fields. */
interface Statement {
  readonly text: string;
  readonly values?: unknown[];
  readonly types: typeof postgresTypes;
  /** Parse and execute apart, as with parameters: one statement only, and its types are known. */
  readonly queryMode?: "extended";
  /** Milliseconds. */
  readonly query_timeout?: number;
}

/** A connection in one pair of hands. Runs one statement after another, and knows when it can be used no more. */
export class PostgresConnection {
  readonly #client: ClientBase;
  readonly #timeoutMs: number | undefined;
  readonly #onError = (thrown: unknown) => {
    this.#fault ??= thrown;
  };
  /** What broke the connection. */
  #fault: unknown;
  #last: Promise<unknown> = Promise.resolve();

  /** @param statementTimeoutMs of the server; undefined: it waits as long as it takes */
  constructor(client: ClientBase, statementTimeoutMs: number | undefined) {
    this.#client = client;
    this.#timeoutMs = statementTimeoutMs === undefined ? undefined : statementTimeoutMs + answerGraceMs;
    // Between two statements nobody waits for an answer; the next one tells of it.
    client.on("error", this.#onError);
  }

  get broken(): boolean {
    return this.#fault !== undefined;
  }

  /** Gives the connection out of these hands. */
  detach(): void {
    this.#client.off("error", this.#onError);
  }

  async query<Row extends object>(sql: string, parameters: readonly RecordValue[] = []): Promise<Row[]> {
    return (await this.#send({ text: sql, values: parameters.map(toParameter), queryMode: "extended" })).rows;
  }

  /** One or more statements without parameters. @returns the tag of the last, such as "COMMIT" */
  async run(sql: string): Promise<string> {
    const answer: unknown = await this.#send({ text: sql });
    const last: unknown = Array.isArray(answer) ? answer.at(-1) : answer;
    return typeof last === "object" && last !== null && "command" in last ? String(last.command) : "";
  }

  #send(statement: Omit<Statement, "types" | "query_timeout">) {
    const timeout = this.#timeoutMs === undefined ? {} : { query_timeout: this.#timeoutMs };
    const sent = this.#last.then(() => this.#answer({ ...statement, types: postgresTypes, ...timeout }));
    this.#last = sent.catch(() => {});
    return sent;
  }

  async #answer(statement: Statement) {
    try {
      return await this.#client.query(statement);
    } catch (thrown) {
      const error = fromPostgres(this.#fault ?? thrown);
      const isServerAnswer = thrown instanceof DatabaseError && error.reason !== "HW_POSTGRES_UNAVAILABLE";
      if (!isServerAnswer && !isParameterFault(error)) this.#fault ??= thrown;
      throw error;
    }
  }
}

/** A parameter that could not even be sent: nothing has happened to the connection. */
function isParameterFault(error: HeadwaterError): boolean {
  return error.code === status.INTERNAL;
}
