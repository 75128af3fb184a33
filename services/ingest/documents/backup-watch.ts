import type { BackupLedger } from "../catalog/backup-ledger.ts";

/** Milliseconds between two looks; backups come by the hour or by the day. */
const intervalMs = 30_000;

/** Looks now and then when the last backup succeeded. */
export class BackupWatch {
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void>;

  /** @param onSuccess told the unix milliseconds of the last backup that succeeded */
  constructor(ledger: BackupLedger, onSuccess: (at: number) => void, onError: (thrown: unknown) => void) {
    const look = async () => {
      try {
        const last = await ledger.lastSuccess();
        if (last) onSuccess(last.at);
      } catch (thrown) {
        onError(thrown);
      }
    };
    this.#looking = look();
    this.#timer = setInterval(() => {
      this.#looking = look();
    }, intervalMs);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }
}
