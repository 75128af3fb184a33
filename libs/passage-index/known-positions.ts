import type { LedgerPosition, LedgerRecord } from "./ledger.ts";
import { isAfter } from "./ledger.ts";

/** About 100 bytes each; a tenant that falls out costs its next search a second look. */
const maxTenants = 10_000;

/** The newest entry of each tenant that this process has read from the ledger. */
export class KnownPositions {
  readonly #positions = new Map<string, LedgerPosition>();

  get(tenant: string): LedgerPosition | undefined {
    return this.#positions.get(tenant);
  }

  learn(tenant: string, records: Iterable<LedgerRecord>): void {
    let newest = this.#positions.get(tenant);
    for (const { position } of records) if (isAfter(position, newest)) newest = position;
    if (!newest) return;
    this.#positions.delete(tenant);
    this.#positions.set(tenant, newest);
    const [oldest] = this.#positions.keys();
    if (this.#positions.size > maxTenants && oldest !== undefined) this.#positions.delete(oldest);
  }
}
