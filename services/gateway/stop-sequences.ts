/** Ends a text where one of some sequences would begin, also where the sequence comes in pieces. */
export class StopSequences {
  readonly #sequences: readonly string[];
  /** What may be the beginning of a sequence, and is not sent yet. */
  #held = "";
  #stopped = false;

  constructor(sequences: readonly string[]) {
    this.#sequences = sequences.filter((sequence) => sequence !== "");
  }

  /** True: a sequence was found, and nothing more is to be sent. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** What of the text so far can be sent. */
  push(piece: string): string {
    if (this.#stopped) return "";
    const text = this.#held + piece;
    const found = this.#sequences.map((sequence) => text.indexOf(sequence)).filter((at) => at !== -1);
    this.#stopped = found.length > 0;
    const end = this.#stopped ? Math.min(...found) : text.length - this.#heldBack(text);
    this.#held = this.#stopped ? "" : text.slice(end);
    return text.slice(0, end);
  }

  /** What was held back, at the end of the text. */
  flush(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }

  /** Length of the longest end of the text that begins a sequence. */
  #heldBack(text: string): number {
    const lengths = this.#sequences.map((sequence) => {
      for (let length = Math.min(sequence.length - 1, text.length); length > 0; length -= 1)
        if (text.endsWith(sequence.slice(0, length))) return length;
      return 0;
    });
    return Math.max(0, ...lengths);
  }
}
