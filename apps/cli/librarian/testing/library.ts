import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient, HeadwaterClientError } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import type { FlakyServer } from "@headwater/testing";
import { startFlakyServer } from "@headwater/testing";
import type { ServiceDoubles } from "@headwater/testing/service-doubles";
import { startServiceDoubles } from "@headwater/testing/service-doubles";
import { Account } from "../account.ts";
import { Delivery } from "../delivery.ts";
import { readHoldings } from "../holdings.ts";
import { Librarian } from "../librarian.ts";
import type { Patiently } from "../patience.ts";
import { createPatience } from "../patience.ts";

/** For tests: what a librarian needs, in front of a double of the ingest service that can be cut off. */
export interface Library {
  readonly client: HeadwaterClient;
  readonly way: FlakyServer;
  readonly doubles: ServiceDoubles;
  /** What was told so far, as `--json` would print it. */
  readonly told: Record<string, unknown>[];
  /** Ids of what was told of one type since the last time. */
  take(type: string): string[];
  /** Ids and texts of all documents. */
  texts(): Promise<Record<string, string>>;
  /** Ends by `leaving`. */
  hire(leaving?: AbortController): Hired;
  close(): Promise<void>;
}

export interface Hired {
  readonly librarian: Librarian;
  readonly delivery: Delivery;
  readonly account: Account;
  readonly patiently: Patiently;
  readonly signal: AbortSignal;
}

export async function startLibrary(): Promise<Library> {
  const doubles = await startServiceDoubles();
  const way = await startFlakyServer(doubles.ingest.address);
  const transport = createNodeTransport({ address: `127.0.0.1:${way.port}` });
  const client = createHeadwaterClient({ transport });
  const told: Record<string, unknown>[] = [];
  const ignore = () => {};
  const output = {
    ...{ json: true, interactive: false, line: ignore, write: ignore, note: ignore },
    value: (value: unknown) => void told.push(value as Record<string, unknown>),
  };
  let taken = 0;
  return {
    ...{ client, way, doubles, told },
    take(type) {
      const fresh = told.slice(taken);
      taken = told.length;
      return fresh.flatMap((one) => (one["type"] === type ? String(one["id"]) : [])).sort();
    },
    async texts() {
      const { documents } = await client.documents.list({ pageSize: 1000 });
      const texts: Record<string, string> = {};
      for (const { id } of documents) {
        try {
          texts[id] = (await client.documents.text(id)).text;
        } catch (thrown) {
          // Deleted since it was listed.
          if (!(thrown instanceof HeadwaterClientError) || thrown.reason !== "HW_DOCUMENT_NOT_FOUND")
            throw thrown;
        }
      }
      return texts;
    },
    hire(leaving = new AbortController()) {
      const { signal } = leaving;
      const account = new Account(output);
      const patiently = createPatience(output, true, signal);
      const delivery = new Delivery({ client, account, patiently, signal });
      const librarian = new Librarian({
        ...{ delivery, account, signal },
        readHoldings: (idPrefix) => patiently(() => readHoldings(client, idPrefix, signal)),
      });
      return { librarian, delivery, account, patiently, signal };
    },
    async close() {
      transport.close();
      await way.close();
      await doubles.close();
    },
  };
}
