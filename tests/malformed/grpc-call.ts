import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import { connect, constants } from "node:http2";
import { codeOf, status, statusName } from "@headwater/errors";
import { mayStayOpen } from "./contracts.ts";
import { checkText, internalOfGrpc, patienceMs, reasonIn } from "./malformed-input.ts";

/** How long a stream that may stay open is listened to before the caller leaves. */
const watchMs = 300;

export interface GrpcRequest {
  readonly path: string;
  /** Beside the right ones, or in their place; an empty value leaves one out. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Leaves without waiting for an answer. */
  readonly leaveAfterMs?: number;
}

interface GrpcAnswer {
  /** "left": we did, as meant; "silent": nothing ended the call; "cut": the stream or connection was reset. */
  readonly end: "answered" | "left" | "silent" | "cut";
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  readonly body: string;
}

/**
 * One call on a connection of its own, of bytes as they are.
 *
 * @param address host:port
 * @returns what came of it: status and reason, or how the protocol itself refused it
 * @throws Error where there is no clear answer
 */
export async function callGrpc(address: string, request: GrpcRequest): Promise<string> {
  const session = connect(`http://${address}`);
  // What goes wrong with the connection ends the stream too, and is told there.
  session.on("error", () => {});
  try {
    const headers = {
      ":method": "POST",
      ":path": request.path,
      "content-type": "application/grpc",
      te: "trailers",
      ...request.headers,
    };
    const filled = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
    const stream = session.request(filled, { endStream: false });
    return describe(await readAnswer(stream, request), request);
  } finally {
    session.destroy();
  }
}

function methodOf({ path }: GrpcRequest): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function readAnswer(stream: ClientHttp2Stream, request: GrpcRequest): Promise<GrpcAnswer> {
  return new Promise((resolve) => {
    let headers: GrpcAnswer["headers"] = {};
    let end: GrpcAnswer["end"] = "answered";
    const data: Buffer[] = [];
    const leave = (how: GrpcAnswer["end"]) => {
      end = how;
      stream.close(constants.NGHTTP2_CANCEL);
    };
    const { leaveAfterMs } = request;
    const listenMs = leaveAfterMs ?? (mayStayOpen(methodOf(request)) ? watchMs : patienceMs);
    const timer = setTimeout(() => leave(leaveAfterMs === undefined ? "silent" : "left"), listenMs);
    stream.on("error", () => {});
    stream.on("response", (head) => {
      headers = { ...headers, ...head };
    });
    stream.on("trailers", (trailers) => {
      headers = { ...headers, ...trailers };
    });
    stream.on("data", (piece: Buffer) => data.push(piece));
    stream.on("close", () => {
      clearTimeout(timer);
      const cut = end === "answered" && headers[":status"] === undefined;
      resolve({ end: cut ? "cut" : end, headers, body: Buffer.concat(data).toString("latin1") });
    });
    stream.end(request.body);
  });
}

/** Statuses that tell of a mistake of the caller's, or of none. */
const clear: ReadonlySet<number> = new Set([
  status.OK,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.RESOURCE_EXHAUSTED,
  status.UNIMPLEMENTED,
]);

function describe({ end, headers, body }: GrpcAnswer, request: GrpcRequest): string {
  checkText(body);
  if (end === "left") return "left early";
  if (end === "cut") return "stream reset";
  const http = Number(headers[":status"]);
  if (end === "silent") {
    if (mayStayOpen(methodOf(request))) return "stream stays open";
    throw new Error(`no answer within ${patienceMs} ms`);
  }
  const code = headers["grpc-status"];
  const message = `${readable(String(headers["grpc-message"] ?? ""))} ${body.slice(0, 300)}`;
  if (code === undefined) {
    if (http >= 400 && http < 500) return `HTTP ${http}`;
    throw new Error(`HTTP ${http} without a status of gRPC: ${message}`);
  }
  const details = Buffer.from(String(headers["grpc-status-details-bin"] ?? ""), "base64").toString("latin1");
  checkText(details + message);
  const reason = reasonIn(details);
  const name = statusName(codeOf(Number(code)));
  // Who asks for an answer within nanoseconds is told in time, or not at all.
  const late = Number(code) === status.DEADLINE_EXCEEDED && request.headers["grpc-timeout"] !== undefined;
  if (Number(code) === status.INTERNAL && reason === "" && internalOfGrpc.test(message))
    return "INTERNAL (of gRPC itself)";
  if (!clear.has(Number(code)) && !late) throw new Error(`${name} ${reason}: ${message}`);
  if (Number(code) === status.OK)
    return reasonIn(body) === "" ? "OK" : `OK, refused within: ${reasonIn(body)}`;
  return `${name} ${reason || "(of gRPC itself)"}`;
}

/** Messages travel percent-encoded (PROTOCOL-HTTP2.md). */
function readable(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
