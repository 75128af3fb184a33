import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import { backOff } from "./back-off.ts";
import { relistDocuments, takeDocument } from "./documents.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { watchPipeline } from "./pipeline.ts";
import { server } from "./server.ts";

export type Connection =
  | { readonly state: "connecting" | "live" }
  /** `retryAt` in unix milliseconds. */
  | { readonly state: "lost"; readonly fault: Fault; readonly retryAt: number };

export const connection = signal<Connection>({ state: "connecting" });

let wake: (() => void) | undefined;

/** Tries to reach the server at once instead of at the next turn. */
export function connectNow(): void {
  wake?.();
}

/** Keeps the stream of document changes open for as long as the page is. */
export async function stayConnected(): Promise<never> {
  addEventListener("online", connectNow);
  for (let attempt = 0; ; attempt += 1) {
    const fault = await connect(() => {
      if (attempt > 0) announce("Connected again.");
      attempt = 0;
    });
    const ms = fault.retryAfterMs ?? backOff(attempt);
    connection.value = { state: "lost", fault, retryAt: Date.now() + ms };
    if (attempt === 1) announce(`The connection to the server is lost. ${fault.message}`);
    await new Promise<void>((done) => {
      const timer = setTimeout(done, ms);
      wake = () => {
        clearTimeout(timer);
        done();
      };
    });
    wake = undefined;
  }
}

/** Resolves with what ended the connection. */
async function connect(isLive: () => void): Promise<Fault> {
  const leaving = new AbortController();
  const { signal } = leaving;
  let lost: Fault | undefined;
  try {
    await watchPipeline(signal, (fault) => {
      // The stream of changes can stay silent over a dead line; the regular question finds out.
      lost = fault;
      leaving.abort();
    });
    connection.value = { state: "live" };
    isLive();
    void relistDocuments();
    for await (const document of server.documents.watch({ changesOnly: true, signal }))
      takeDocument(document);
    return lost ?? ended;
  } catch (thrown) {
    return lost ?? faultOf(thrown) ?? ended;
  } finally {
    leaving.abort();
  }
}

const ended: Fault = {
  message: "The server ended the stream of changes.",
  action: "",
  reason: "HW_STREAM_ENDED",
  transient: true,
  retryAfterMs: undefined,
};
