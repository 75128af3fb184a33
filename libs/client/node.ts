import type { Interceptor, Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import { bearer } from "./client.ts";

export interface NodeTransportOptions {
  /** host:port, without TLS. Or give `baseUrl`. */
  address?: string;
  /** Such as "https://headwater.example". */
  baseUrl?: string;
  /** Default "grpc", which services and gateway alike answer; the gateway alone answers the other two. */
  protocol?: "grpc" | "connect" | "grpc-web";
  /** Sent as a bearer token. */
  apiKey?: string;
  interceptors?: Interceptor[];
}

/** A transport whose connection lives until it is closed. */
export interface NodeTransport extends Transport {
  /** Closes the connection; calls under way end with an error. */
  close(): void;
}

/** Largest message in bytes, both ways; the same as the services'. */
const maxMessageBytes = 16 * 1024 * 1024;

/** Carries calls over HTTP/2, so that streams go both ways in all three protocols. */
export function createNodeTransport(options: NodeTransportOptions): NodeTransport {
  const baseUrl = options.baseUrl ?? (options.address && `http://${options.address}`);
  if (!baseUrl) throw new TypeError("createNodeTransport needs `address` or `baseUrl`");
  // A peer that went away without a word is noticed within 35 s; only asked while calls are open.
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs: 20_000, pingTimeoutMs: 15_000 });
  const common = {
    baseUrl,
    sessionManager,
    interceptors: [
      ...(options.apiKey === undefined ? [] : [bearer(options.apiKey)]),
      ...(options.interceptors ?? []),
    ],
    // Compression costs more time than it saves between neighbours.
    acceptCompression: [],
    readMaxBytes: maxMessageBytes,
    writeMaxBytes: maxMessageBytes,
  };
  return Object.assign(transportOf(options.protocol ?? "grpc", common), {
    close: () => sessionManager.abort(),
  });
}

type Common = Parameters<typeof createGrpcTransport>[0] & { sessionManager: Http2SessionManager };

function transportOf(protocol: NonNullable<NodeTransportOptions["protocol"]>, common: Common): Transport {
  if (protocol === "grpc") return createGrpcTransport(common);
  return protocol === "connect"
    ? createConnectTransport({ ...common, httpVersion: "2" })
    : createGrpcWebTransport({ ...common, httpVersion: "2" });
}
