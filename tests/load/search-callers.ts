import { createHeadwaterClient, HeadwaterClientError } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { Pool } from "undici";

/** Makes one search and tells its outcome; see Observation. Never throws. */
export type SearchCaller = (query: string) => Promise<string>;

export interface SearchCallers {
  readonly http: SearchCaller;
  readonly grpc: SearchCaller;
  close(): Promise<void>;
}

interface SearchBody {
  readonly summary?: { readonly degradations: readonly unknown[] };
  readonly error?: { readonly code: string; readonly reason: string; readonly retry_after_ms?: number };
}

/** HTTP/1.1 connections; more than the gateway takes requests at one time. */
const connections = 600;

/**
 * Callers of one gateway over connections that are open before and kept, as those of a front-end's servers are: HTTP/1.1
 * a number of them, gRPC one.
 *
 * @param address host:port of the gateway
 */
export async function openSearchCallers(address: string): Promise<SearchCallers> {
  // Undici takes half of the processor time of node:http for a call, which is the servers' to have.
  const pool = new Pool(`http://${address}`, { connections, headersTimeout: 0, bodyTimeout: 0 });
  const transport = createNodeTransport({ address });
  const client = createHeadwaterClient({ transport });

  const post = async (query: string) => {
    const { headers, body } = await pool.request({
      ...{ path: "/v1/search", method: "POST", headers: { "content-type": "application/json" } },
      body: JSON.stringify({ query }),
    });
    return outcomeOf((await body.json()) as SearchBody, headers["retry-after"] !== undefined);
  };

  const greet = async () => {
    const { body } = await pool.request({ path: "/health/live", method: "GET" });
    await body.dump();
  };
  await Promise.all(Array.from({ length: connections }, greet));

  return {
    http: (query) => post(query).catch(nameOf),
    async grpc(query) {
      try {
        let outcome = "no summary";
        for await (const event of client.search(query))
          if (event.type === "summary") outcome = event.degradations.length > 0 ? "degraded" : "ok";
        return outcome;
      } catch (thrown) {
        const { codeName, reason, retryAfterMs } = HeadwaterClientError.from(thrown);
        return refusalOf(codeName, reason, retryAfterMs !== undefined);
      }
    },
    async close() {
      transport.close();
      await pool.destroy();
    },
  };
}

function outcomeOf({ summary, error }: SearchBody, retryAfter: boolean): string {
  if (summary) return summary.degradations.length > 0 ? "degraded" : "ok";
  if (error) return refusalOf(error.code, error.reason, retryAfter && error.retry_after_ms !== undefined);
  return "neither summary nor error";
}

/** @param polite whether the answer says when to come back */
function refusalOf(code: string, reason: string, polite: boolean): string {
  return code === "RESOURCE_EXHAUSTED" && polite ? "refused" : `${code} ${reason}`;
}

function nameOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return "code" in thrown ? String(thrown.code) : thrown.name;
}
