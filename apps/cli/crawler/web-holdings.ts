import type { HeldDocument } from "../librarian/holdings.ts";

/** What the service holds of the web, read origin by origin as a crawl comes to it. */
export class WebHoldings {
  readonly #read: (idPrefix: string) => Promise<ReadonlyMap<string, HeldDocument>>;
  readonly #byOrigin = new Map<string, Promise<Held>>();

  constructor(read: (idPrefix: string) => Promise<ReadonlyMap<string, HeldDocument>>) {
    this.#read = read;
  }

  /** The document that was fetched from there, or that has it for its canonical address. */
  async at(url: URL): Promise<HeldDocument | undefined> {
    const { byUri, byId } = await this.#of(url);
    return byUri.get(url.href) ?? byId.get(url.href);
  }

  async all(url: URL): Promise<Iterable<HeldDocument>> {
    return (await this.#of(url)).byId.values();
  }

  #of({ origin }: URL): Promise<Held> {
    let held = this.#byOrigin.get(origin);
    if (!held) {
      held = this.#read(`${origin}/`).then((byId) => ({
        byId,
        byUri: new Map([...byId.values()].map((document) => [document.uri, document])),
      }));
      this.#byOrigin.set(origin, held);
    }
    return held;
  }
}

interface Held {
  readonly byId: ReadonlyMap<string, HeldDocument>;
  readonly byUri: ReadonlyMap<string, HeldDocument>;
}
