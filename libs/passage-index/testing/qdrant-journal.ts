import { appendFileSync, existsSync, readFileSync, truncateSync } from "node:fs";
import type { Call } from "./qdrant-service.ts";

/** What changed the double, one call a line, in order: read again at the start. */
export class QdrantJournal {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Handed to the operating system on return, so that it outlives the process. */
  append({ method, path, query, body }: Call): void {
    appendFileSync(this.#path, `${JSON.stringify({ method, path, query: [...query], body })}\n`);
  }

  /** A last line that a `kill -9` cut off was never answered, and is cut away. */
  *read(): Generator<Call> {
    if (!existsSync(this.#path)) return;
    const content = readFileSync(this.#path);
    for (let start = 0; ; ) {
      const end = content.indexOf("\n", start);
      if (end < 0) {
        truncateSync(this.#path, start);
        return;
      }
      const line = JSON.parse(content.toString("utf8", start, end)) as Omit<Call, "query"> & {
        readonly query: [string, string][];
      };
      yield { ...line, query: new Map(line.query) };
      start = end + 1;
    }
  }
}
