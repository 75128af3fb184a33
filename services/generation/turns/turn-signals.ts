import type { RecordStore } from "@headwater/record-store";

const channel = "turns";

/**
 * "watched": somebody reads it by way of another process. "written": it has events that were not there before. "cancel":
 * it is to end. "decided": a tool call of it was approved or refused.
 */
export type TurnSignalKind = "watched" | "written" | "cancel" | "decided";

export interface TurnSignal {
  readonly kind: TurnSignalKind;
  readonly turnId: string;
}

export interface SignalReader {
  onSignal(signal: TurnSignal): void;
  /** Signals may have been missed. */
  onGap(): void;
  onError(thrown: unknown): void;
}

/** Carries what one process has to tell another about a turn. A hint only: what counts is in the record store. */
export class TurnSignals {
  readonly #records: RecordStore;
  readonly #reader: SignalReader;

  private constructor(records: RecordStore, reader: SignalReader) {
    this.#records = records;
    this.#reader = reader;
  }

  static async open(records: RecordStore, reader: SignalReader): Promise<TurnSignals> {
    // Where no other process can be, all there is to tell is known.
    if (records.shared) {
      await records.listen(channel, {
        onPayload: (payload) => {
          const [kind, turnId] = payload.split(" ");
          if (kind && turnId) reader.onSignal({ kind: kind as TurnSignalKind, turnId });
        },
        onGap: () => reader.onGap(),
      });
    }
    return new TurnSignals(records, reader);
  }

  /** Does not wait: who listens looks by itself now and then. */
  tell(kind: TurnSignalKind, turnIds: readonly string[]): void {
    if (!this.#records.shared || turnIds.length === 0) return;
    this.#records
      .notify(
        channel,
        turnIds.map((turnId) => `${kind} ${turnId}`),
      )
      .catch((thrown: unknown) => this.#reader.onError(thrown));
  }
}
