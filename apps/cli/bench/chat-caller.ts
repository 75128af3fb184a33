import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:http";

/** How one streamed answer went. */
export interface CallTiming {
  /** Milliseconds from the request to the first text. */
  readonly firstTokenMs: number;
  /** Of these, what search took; 0 where nobody searches. */
  readonly searchMs: number;
  readonly tokens: number;
}

/** What is called, and how its stream reads. */
export interface CallTarget {
  readonly url: string;
  readonly body: () => object;
  /** Stands in each event that holds text, and nowhere else. */
  readonly textMark: string;
  /** Stands in a stream that came to its end. */
  readonly endMark: string;
}

// As many connections as there are callers, as so many people would have.
const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });

/** Reads one stream to its end. It looks only for marks, so that the callers cost little of the machine. */
export async function callOnce(target: CallTarget): Promise<CallTiming> {
  const started = performance.now();
  const outgoing = request(target.url, {
    method: "POST",
    agent,
    headers: { "content-type": "application/json", accept: "text/event-stream" },
  });
  outgoing.end(JSON.stringify(target.body()));
  const [response] = (await once(outgoing, "response")) as [IncomingMessage];
  // The marks are ASCII, whatever else is in the stream.
  response.setEncoding("latin1");
  let firstTokenMs = Number.NaN;
  let tokens = 0;
  // What may hold the start of a mark, and at the end the last event.
  let tail = "";
  // Not an async iterator: it would cost more than all else that is done with a token here.
  response.on("data", (piece: string) => {
    const text = tail + piece;
    let at = text.indexOf(target.textMark);
    if (at >= 0 && tokens === 0) firstTokenMs = performance.now() - started;
    let read = 0;
    for (; at >= 0; at = text.indexOf(target.textMark, read)) {
      tokens += 1;
      read = at + target.textMark.length;
    }
    tail = text.slice(Math.max(read, text.length - 4096));
  });
  await once(response, "end");
  if (response.statusCode !== 200 || !tail.includes(target.endMark))
    throw new Error(`HTTP ${response.statusCode}, ended with: ${tail.slice(-300)}`);
  return { firstTokenMs, searchMs: Number(/"search":([\d.]+)/.exec(tail)?.[1] ?? 0), tokens };
}
