import type { HeadwaterProcess } from "@headwater/cli/headwater-process";

/** Ways in, as the tally names them. */
export type Door = "gRPC" | "HTTP/2 frames" | "HTTP" | "Connect and gRPC-Web" | "WebSocket" | "documents";

/** One thing that no well-behaved client sends, or a batch of documents that go in together. */
export interface MalformedInput {
  readonly door: Door;
  /** Says what it is, so that a failure can be understood; the seed makes it again. */
  readonly name: string;
  /**
   * Sends it and gives what came of it, one line for each input that it holds.
   *
   * @throws Error where there was no clear answer within `patienceMs`
   */
  send(system: HeadwaterProcess): Promise<readonly string[]>;
}

/** Milliseconds that an answer may take; all cores of the machine are busy while thousands of inputs come in. */
export const patienceMs = 20_000;

/** What must never be told to a caller: faults of ours, and words from the inside. */
const fromTheInside =
  /HW_INTERNAL|HW_PARSER_CRASHED|node_modules|TypeError|RangeError|ReferenceError|\.ts:\d+/;

/** @throws Error where the text of an answer tells of a fault of ours */
export function checkText(text: string): void {
  const found = fromTheInside.exec(text);
  if (found) throw new Error(`the answer tells of the inside: ${found[0]} in ${text.slice(0, 500)}`);
}

/** The reason in an answer, or "". */
export function reasonIn(text: string): string {
  return /HW_[A-Z0-9_]+/.exec(text)?.[0] ?? "";
}

/**
 * INTERNAL in the words of the libraries. gRPC's list of status codes (doc/statuscodes.md) wants that code for bytes that
 * cannot be decoded or decompressed, though they are the caller's mistake; before any code of ours is reached.
 */
export const internalOfGrpc =
  /Failed to decompress message|decompression failed|Invalid grpc-timeout value|parse binary: |do not know how to decompress|invalid envelope|Error deserializing request/;
