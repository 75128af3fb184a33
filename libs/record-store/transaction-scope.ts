import { AsyncLocalStorage } from "node:async_hooks";
import { HeadwaterError, status } from "@headwater/errors";

/** Knows which code runs inside the work of a transaction of one store. */
export class TransactionScope {
  /** Set for whatever the work of a transaction calls. */
  readonly #storage = new AsyncLocalStorage<{ ended: boolean }>();

  async run<T>(work: () => Promise<T>): Promise<T> {
    const state = { ended: false };
    try {
      return await this.#storage.run(state, work);
    } finally {
      state.ended = true;
    }
  }

  /** A transaction holds a connection: its work would wait for another one, for ever once all are held so. */
  refuseInside(): void {
    if (this.#storage.getStore()?.ended !== false) return;
    throw new HeadwaterError({
      code: status.INTERNAL,
      reason: "HW_RECORDS_NESTED",
      message: "The record store was used inside the work of one of its transactions.",
      action: "Use the queries that were given to the work.",
    });
  }
}

/** @returns what is thrown by a store that was closed */
export function recordsClosed(): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_RECORDS_CLOSED",
    message: "The record store has been closed.",
  });
}

/** @throws HeadwaterError HW_SCHEMA_INVALID; a name that passes needs no escape in SQL, only quotes */
export function checkSchema(schema: string): void {
  if (/^[a-z][a-z0-9_]{0,62}$/.test(schema)) return;
  throw new HeadwaterError({
    code: status.INVALID_ARGUMENT,
    reason: "HW_SCHEMA_INVALID",
    message: `"${schema}" is no name for a schema.`,
  });
}
