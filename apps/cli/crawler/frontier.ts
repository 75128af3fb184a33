/** A page that is to be visited. */
export interface Visit {
  readonly url: URL;
  /** Links away from the address that the user gave. */
  readonly depth: number;
  /** The address that the user gave, from which this one was found. */
  readonly start: string;
  /** As the sitemap has it; empty where it does not say. */
  readonly lastModified: string;
  /** How often it was tried before. */
  readonly tries: number;
}

/** Pages in the order in which they were found, each of them once. */
export class Frontier {
  readonly #waiting: Visit[] = [];
  readonly #known = new Set<string>();
  #next = 0;

  add(visit: Omit<Visit, "tries">): void {
    if (!this.settle(visit.url)) return;
    this.#waiting.push({ ...visit, tries: 0 });
  }

  /** Tries a page once more, after all that is waiting. */
  again(visit: Visit): void {
    this.#waiting.push({ ...visit, tries: visit.tries + 1 });
  }

  /** An address that was reached in another way need not be visited. @returns false where it was known before */
  settle(url: URL): boolean {
    if (this.#known.has(url.href)) return false;
    this.#known.add(url.href);
    return true;
  }

  take(): Visit | undefined {
    const visit = this.#waiting[this.#next];
    if (visit) this.#next += 1;
    return visit;
  }
}
