interface SharedCall<T> {
  readonly result: Promise<T>;
  readonly ending: AbortController;
  waiting: number;
}

/** Calls for the same thing at the same time become one. It is given up only when all who wait for it have left. */
export class SharedCalls<T> {
  readonly #calls = new Map<string, SharedCall<T>>();

  /**
   * @param start begins the work; its signal fires when nobody waits any more
   * @returns rejects with the reason of `signal` once that fires
   */
  join(key: string, signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const call = this.#calls.get(key) ?? this.#start(key, start);
    call.waiting += 1;
    return new Promise((resolve, reject) => {
      const leave = () => {
        call.waiting -= 1;
        reject(signal.reason);
        if (call.waiting > 0) return;
        this.#forget(key, call);
        call.ending.abort(signal.reason);
      };
      if (signal.aborted) return leave();
      signal.addEventListener("abort", leave, { once: true });
      const settled = () => signal.removeEventListener("abort", leave);
      call.result.then(resolve, reject).finally(settled);
    });
  }

  #start(key: string, start: (signal: AbortSignal) => Promise<T>): SharedCall<T> {
    const ending = new AbortController();
    const call: SharedCall<T> = { result: start(ending.signal), ending, waiting: 0 };
    this.#calls.set(key, call);
    const forget = () => this.#forget(key, call);
    call.result.then(forget, forget);
    return call;
  }

  #forget(key: string, call: SharedCall<T>): void {
    if (this.#calls.get(key) === call) this.#calls.delete(key);
  }
}
