import type { Duplex } from "node:stream";
import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { bearer } from "./client.ts";
import { repeatUnseen } from "./unseen-call.ts";

export interface NodeTransportOptions {
  /** host:port, without TLS unless `connect` gives it. Or give `baseUrl`. */
  address?: string;
  /** Such as "https://headwater.example". */
  baseUrl?: string;
  /** Default "grpc", which services and gateway alike answer; the gateway alone answers the other two. */
  protocol?: "grpc" | "connect" | "grpc-web";
  /** Sent as a bearer token. */
  apiKey?: string;
  interceptors?: Interceptor[];
  /** Calls that a stopping server has turned away unseen are made again. Default true; false for who has other servers. */
  repeatUnseen?: boolean;
  /** Begins each connection, over TLS, such as with a certificate of one's own. Default: Node's own way. */
  connect?: (host: string, port: number) => Duplex;
}

/** A transport whose connection lives until it is closed. */
export interface NodeTransport extends Transport {
  /** Connects where it is not connected; false where nobody answers. Calls do so by themselves. */
  open(): Promise<boolean>;
  /** Closes the connection; calls under way end with an error. */
  close(): void;
}

/** Largest message in bytes, both ways; the same as the services'. */
const maxMessageBytes = 16 * 1024 * 1024;

/** Carries calls over HTTP/2, so that streams go both ways in all three protocols. */
export function createNodeTransport(options: NodeTransportOptions): NodeTransport {
  const { connect } = options;
  const scheme = connect ? "https" : "http";
  const baseUrl = options.baseUrl ?? (options.address && `${scheme}://${options.address}`);
  if (!baseUrl) throw new TypeError("createNodeTransport needs `address` or `baseUrl`");
  const sessionManager = new WideSessionManager(
    baseUrl,
    // A peer that went away without a word is noticed within 35 s; only asked while calls are open.
    { pingIntervalMs: 20_000, pingTimeoutMs: 15_000 },
    connect && { createConnection: ({ hostname, port }) => connect(hostOf(hostname), Number(port)) },
  );
  const common = {
    baseUrl,
    sessionManager,
    interceptors: [
      ...(options.repeatUnseen === false ? [] : [repeatUnseen]),
      ...(options.apiKey === undefined ? [] : [bearer(options.apiKey)]),
      ...(options.interceptors ?? []),
    ],
    // Compression costs more time than it saves between neighbours.
    acceptCompression: [],
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
  };
  return Object.assign(transportOf(options.protocol ?? "grpc", common), {
    open: async () => (await sessionManager.connect()) !== "error",
    close: () => sessionManager.abort(),
  });
}

/**
 * The bytes that a connection may bring before its reader has said that it took some, in all streams together. HTTP/2
 * begins with 64 KiB, and a busy event loop says so a few times a second: searches then waited for each other's answers.
 * Each stream keeps its own 64 KiB, so a slow reader still slows its own alone.
 */
const connectionWindowBytes = 16 * 1024 * 1024;

class WideSessionManager extends Http2SessionManager {
  readonly #widened = new WeakSet<object>();

  override async request(...call: Parameters<Http2SessionManager["request"]>) {
    const stream = await super.request(...call);
    const { session } = stream;
    if (session && !this.#widened.has(session)) {
      this.#widened.add(session);
      session.setLocalWindowSize(connectionWindowBytes);
    }
    return stream;
  }
}

type Common = Parameters<typeof createGrpcTransport>[0] & { sessionManager: Http2SessionManager };

function transportOf(protocol: NonNullable<NodeTransportOptions["protocol"]>, common: Common): Transport {
  if (protocol === "grpc") return createGrpcTransport(common);
  return protocol === "connect"
    ? createConnectTransport({ ...common, httpVersion: "2" })
    : createGrpcWebTransport({ ...common, httpVersion: "2" });
}

/** A URL has the brackets of an IPv6 address with it. */
function hostOf(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
