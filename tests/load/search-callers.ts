import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { createHeadwaterClient, HeadwaterClientError } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";

/** Makes one search and tells its outcome; see Observation. Never throws. */
export type SearchCaller = (query: string) => Promise<string>;

export interface SearchCallers {
  readonly http: SearchCaller;
  readonly grpc: SearchCaller;
  close(): void;
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
  const agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections });
  const transport = createNodeTransport({ address });
  const client = createHeadwaterClient({ transport });

  const post = (query: string) =>
    new Promise<string>((resolve, reject) => {
      const body = JSON.stringify({ query });
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const sent = request(`http://${address}/v1/search`, { method: "POST", agent, headers }, (response) => {
        text(response).then((answer) => {
          const hint = response.headers["retry-after"] !== undefined;
          resolve(outcomeOf(JSON.parse(answer) as SearchBody, hint));
        }, reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });

  const greet = () =>
    new Promise<void>((resolve, reject) => {
      const sent = request(`http://${address}/health/live`, { agent }, (response) => {
        text(response).then(() => resolve(), reject);
      });
      sent.on("error", reject);
      sent.end();
    });
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
    close() {
      agent.destroy();
      transport.close();
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
