import { checkText, reasonIn } from "./malformed-input.ts";
import type { Exchange } from "./raw-exchange.ts";

/**
 * What came of a request over HTTP/1.1.
 *
 * @param mayCut the server may close the connection without a word: what it got is no complete request
 * @param plain the answer may be a status alone: a library gave it before any code of ours
 * @throws Error where there is no clear answer
 */
export function describeHttp(
  { received, closedBy }: Exchange,
  { mayCut = false, headOnly = false, plain = false },
): string {
  // Who waits to be told to go on is told so first; what counts is what comes after.
  const text = received.toString("latin1").replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, "");
  checkText(text);
  if (closedBy === "silence") throw new Error(`the connection stayed open after ${text.slice(0, 300)}`);
  if (text === "") {
    if (mayCut || closedBy === "us") return closedBy === "us" ? "left early" : "connection closed";
    throw new Error("the connection was closed without an answer");
  }
  const code = Number(/^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1]);
  const body = text.slice(text.indexOf("\r\n\r\n") + 4);
  if (code >= 200 && code < 300) {
    const reason = reasonIn(body);
    return reason === "" ? `HTTP ${code}` : `HTTP ${code}, refused within: ${reason}`;
  }
  if (!(code >= 400 && code < 500)) throw new Error(`not a clear answer: ${text.slice(0, 600)}`);
  if (headOnly || (plain && reasonIn(body) === "")) return `HTTP ${code}`;
  const json = /^content-type: application\/json/im.test(text);
  const reason = reasonIn(body) || protocolReasonIn(body);
  if (!json || reason === "") throw new Error(`an error without a reason: ${text.slice(0, 600)}`);
  return `HTTP ${code} ${reason}`;
}

/** The reason where a protocol has codes of its own: JSON-RPC's numbers at MCP, OpenAI's words; or "". */
function protocolReasonIn(body: string): string {
  const [, number, word] =
    /"error":\{"code":(-32\d{3}),"message":"[^"]|"error":\{"message":"[^"].*"code":"([a-z_]+)"/.exec(body) ??
    [];
  return word ?? (number === undefined ? "" : `JSON-RPC ${number}`);
}
