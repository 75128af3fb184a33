import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import type { WebSocket } from "ws";
import type { MalformedInput } from "./malformed.ts";

/**
 * Sends an input through its door, and fails where what comes back is no clear answer or tells of the inside.
 *
 * @param socket open WebSocket to /v1/ws, for the inputs of that door
 */
export async function sendMalformed(
  baseUrl: string,
  input: MalformedInput,
  socket: WebSocket,
): Promise<void> {
  const name = nameOf(input);
  if (input.door === "websocket") return void socket.send(input.frame);
  if (input.door === "socket") {
    const raw = connect(Number(new URL(baseUrl).port), new URL(baseUrl).hostname);
    raw.on("error", () => {});
    raw.end(input.bytes);
    raw.resume();
    await once(raw, "close");
    return;
  }
  const leaving = AbortSignal.timeout(3000);
  const response = await fetch(`${baseUrl}${input.path}`, {
    method: input.method,
    headers: input.headers,
    body: (input.body as RequestInit["body"]) ?? null,
    signal: leaving,
  });
  const text = await response.text();
  assert.notEqual(response.status, 500, `${name}: ${text}`);
  assert(!/ {4}at |node_modules|TypeError|\/work\//.test(text), `${name}: ${text}`);
  const json = /^application\/json/.test(response.headers.get("content-type") ?? "");
  if (response.status >= 400 && json && text !== "" && input.method !== "HEAD")
    assert.match(text, /"(reason|code)":/, `${name}: ${text}`);
}

function nameOf(input: MalformedInput): string {
  if (input.door !== "http") return input.door;
  const { method, path, headers, body } = input;
  return JSON.stringify({ method, path, headers, body: Buffer.from(body ?? []).toString("latin1") });
}
