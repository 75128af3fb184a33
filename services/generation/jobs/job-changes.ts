/** Waits for one job's changes. A change between two waits is not missed; many are one. */
export interface JobSubscription {
  /** @throws the signal's reason */
  changed(signal: AbortSignal): Promise<void>;
  close(): void;
}

/** Tells whoever watches a job that it has changed. */
export class JobChanges {
  readonly #watchers = new Map<string, Set<() => void>>();

  subscribe(id: string): JobSubscription {
    let pending = false;
    let wake: (() => void) | undefined;
    const note = () => {
      pending = true;
      wake?.();
    };
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(note));
    return {
      async changed(signal) {
        signal.throwIfAborted();
        if (!pending) {
          await new Promise<void>((resolve, reject) => {
            const leave = () => reject(signal.reason);
            signal.addEventListener("abort", leave, { once: true });
            wake = () => {
              signal.removeEventListener("abort", leave);
              resolve();
            };
          }).finally(() => {
            wake = undefined;
          });
        }
        pending = false;
      },
      close: () => {
        watchers.delete(note);
        if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id);
      },
    };
  }

  tell(id: string): void {
    for (const note of this.#watchers.get(id) ?? []) note();
  }

  /** Where it is not known what was missed. */
  tellAll(): void {
    for (const watchers of this.#watchers.values()) for (const note of watchers) note();
  }
}
