import type { ToolCall } from "../language-model.ts";

/** Why a scripted model stops, in OpenAI's words; each wire says it in its own. */
export type WireFinish = "stop" | "length" | "content_filter" | "tool_calls";

export interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
}

/** Writes one streamed answer as a model service would; each function gives the bytes to send. */
export interface Wire {
  text(piece: string): string;
  thought(piece: string): string;
  /** A whole call, its arguments in pieces. */
  toolCall(call: ToolCall): string;
  finish(reason: WireFinish, usage: WireUsage | undefined): string;
}

/** One event of a server-sent event stream. */
export function serverSentEvent(data: object | string, name?: string): string {
  const line = `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
  return name === undefined ? line : `event: ${name}\n${line}`;
}

/** A text in two pieces, as services stream arguments; an empty one stays whole. */
export function inPieces(text: string): readonly string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((piece) => piece !== "");
}
