import { readFileSync } from "node:fs";
import { HeadwaterError, status } from "@headwater/errors";
import type { RpcConfig, TlsConfig } from "@headwater/rpc";
import { readRpcConfig, readTlsClientConfig, readTlsConfig, rpcSettings, tlsSettings } from "@headwater/rpc";
import type { Environment } from "@headwater/settings";
import { address, flag, integer, readSettings, text } from "@headwater/settings";
import type { ApiKey } from "./authentication.ts";
import { parseApiKeys } from "./authentication.ts";
import { isLoopback } from "./origin.ts";

export const gatewaySettings = {
  HEADWATER_GATEWAY_LISTEN: address()
    .default("127.0.0.1:8080")
    .describe("host:port for HTTP, WebSocket, Connect, gRPC-Web and gRPC; beyond loopback it needs API keys"),
  HEADWATER_GATEWAY_LOAD_LISTEN: address()
    .optional()
    .describe(
      "host:port on which the scaler, and nobody from outside, is told over gRPC what the gateway carries; unset: not told",
    ),
  HEADWATER_INGEST_ADDRESS: address().default("127.0.0.1:7001").describe("host:port of the ingest service"),
  HEADWATER_SEARCH_ADDRESS: address().default("127.0.0.1:7003").describe("host:port of the search service"),
  HEADWATER_GENERATION_ADDRESS: address()
    .default("127.0.0.1:7004")
    .describe("host:port of the generation service"),
  HEADWATER_EMBEDDING_ADDRESS: address()
    .default("127.0.0.1:7002")
    .describe("host:port of the embedding-worker"),
  HEADWATER_GATEWAY_API_KEYS: text()
    .optional()
    .describe(
      "API keys, entries `key tenant` or `key tenant owner` separated by line breaks or commas; setting one turns sign-in on. The owner says whose conversations and memories the key opens; *: whomever a request names",
    ),
  HEADWATER_GATEWAY_API_KEYS_FILE: text()
    .optional()
    .describe(
      "File of API keys, an entry `key tenant` or `key tenant owner` a line; a key may be written as sha256:<hex> of it",
    ),
  HEADWATER_GATEWAY_ALLOW_ANONYMOUS: flag()
    .default(false)
    .describe(
      "Serves other addresses than loopback without credentials: anyone who reaches them may do anything",
    ),
  HEADWATER_GATEWAY_READY_WITHOUT: text()
    .regex(
      /^(ingest|search|generation)(\s*,\s*(ingest|search|generation))*$/,
      "allowed: ingest, search, generation",
    )
    .optional()
    .describe(
      "Services without which the gateway says that it is ready all the same, separated by commas: ingest where it is scaled to zero. Calls that need one are refused while it is away",
    ),
  HEADWATER_GATEWAY_HOSTS: text()
    .default("")
    .describe("Further names in the Host header that are answered on loopback, separated by commas"),
  HEADWATER_GATEWAY_CORS_ORIGINS: text()
    .default("")
    .describe("Origins of front-ends elsewhere, such as https://app.example, separated by commas"),
  HEADWATER_GATEWAY_RATE_LIMIT: integer(0, 1_000_000_000)
    .default(0)
    .describe("Requests a minute for each caller, 429 beyond; 0: no limit"),
  HEADWATER_GATEWAY_MAX_ACTIVE: integer(1, 1_000_000)
    .default(512)
    .describe("Requests and streams under way at once, over all callers; 503 beyond"),
  HEADWATER_GATEWAY_MAX_JSON_BYTES: integer(1024, 256 * 1024 * 1024)
    .default(16 * 1024 * 1024)
    .describe(
      "Longest JSON body, line of JSON Lines and WebSocket message, in bytes; each is held in memory",
    ),
  HEADWATER_GATEWAY_TIMEOUT_MS: integer(100, 3_600_000)
    .default(60_000)
    .describe("Milliseconds that a call without a stream, or a search, may take"),
  HEADWATER_GATEWAY_IDLE_TIMEOUT_MS: integer(1000, 3_600_000)
    .default(120_000)
    .describe("Milliseconds without a byte after which a connection, or the body of an upload, is given up"),
  HEADWATER_GATEWAY_HEARTBEAT_MS: integer(10, 3_600_000)
    .default(15_000)
    .describe(
      "Milliseconds between signs of life on server-sent events and WebSockets; below proxies' timeouts",
    ),
  ...tlsSettings,
  ...rpcSettings,
};

/** What the gateway is started with. */
export interface GatewayConfig {
  readonly listen: string;
  /** Of LoadService; undefined: not served. */
  readonly loadListen: string | undefined;
  readonly rpc: RpcConfig;
  readonly ingestAddress: string;
  readonly searchAddress: string;
  readonly generationAddress: string;
  readonly embeddingAddress: string;
  /** To the services; undefined: plain text. */
  readonly tls: TlsConfig | undefined;
  /** Empty: sign-in is off. */
  readonly apiKeys: readonly ApiKey[];
  /** Names in the Host header that are answered; undefined: any, as sign-in guards instead. */
  readonly hosts: readonly string[] | undefined;
  readonly corsOrigins: readonly string[];
  /** Services that may be away while the gateway is ready. */
  readonly readyWithout: readonly string[];
  /** Requests a minute and caller; 0: no limit. */
  readonly rateLimit: number;
  readonly maxActive: number;
  readonly maxJsonBytes: number;
  readonly timeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly heartbeatMs: number;
}

/**
 * @throws HeadwaterError HW_SETTINGS_INVALID, HW_API_KEYS_INVALID, or HW_CREDENTIALS_REQUIRED where another address
 *   than loopback was asked for without credentials
 */
export function readGatewayConfig(env: Environment = process.env): GatewayConfig {
  const settings = readSettings(gatewaySettings, env);
  const listen = settings.HEADWATER_GATEWAY_LISTEN;
  const apiKeys = [
    ...parseApiKeys(settings.HEADWATER_GATEWAY_API_KEYS ?? ""),
    ...parseApiKeys(readKeysFile(settings.HEADWATER_GATEWAY_API_KEYS_FILE)),
  ];
  const loopback = isLoopback(hostOf(listen));
  if (!loopback && apiKeys.length === 0 && !settings.HEADWATER_GATEWAY_ALLOW_ANONYMOUS) {
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_CREDENTIALS_REQUIRED",
      message: `The gateway was asked to listen on ${listen}, where others can reach it, and no API keys are set.`,
      action:
        "Set HEADWATER_GATEWAY_API_KEYS_FILE, listen on 127.0.0.1, or, where everyone may do anything, " +
        "set HEADWATER_GATEWAY_ALLOW_ANONYMOUS=true.",
    });
  }
  return {
    listen,
    loadListen: settings.HEADWATER_GATEWAY_LOAD_LISTEN,
    rpc: readRpcConfig(settings),
    ingestAddress: settings.HEADWATER_INGEST_ADDRESS,
    searchAddress: settings.HEADWATER_SEARCH_ADDRESS,
    generationAddress: settings.HEADWATER_GENERATION_ADDRESS,
    embeddingAddress: settings.HEADWATER_EMBEDDING_ADDRESS,
    // Without that port nobody calls the gateway with a certificate.
    tls:
      settings.HEADWATER_GATEWAY_LOAD_LISTEN === undefined
        ? readTlsClientConfig(settings)
        : readTlsConfig(settings),
    apiKeys,
    hosts: loopback
      ? ["localhost", "127.0.0.1", "[::1]", ...list(settings.HEADWATER_GATEWAY_HOSTS)]
      : undefined,
    readyWithout: list(settings.HEADWATER_GATEWAY_READY_WITHOUT ?? ""),
    corsOrigins: list(settings.HEADWATER_GATEWAY_CORS_ORIGINS),
    rateLimit: settings.HEADWATER_GATEWAY_RATE_LIMIT,
    maxActive: settings.HEADWATER_GATEWAY_MAX_ACTIVE,
    maxJsonBytes: settings.HEADWATER_GATEWAY_MAX_JSON_BYTES,
    timeoutMs: settings.HEADWATER_GATEWAY_TIMEOUT_MS,
    idleTimeoutMs: settings.HEADWATER_GATEWAY_IDLE_TIMEOUT_MS,
    heartbeatMs: settings.HEADWATER_GATEWAY_HEARTBEAT_MS,
  };
}

/** Host of a host:port. */
export function hostOf(listen: string): string {
  return listen.slice(0, listen.lastIndexOf(":"));
}

function list(setting: string): string[] {
  return setting
    .split(",")
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== "");
}

function readKeysFile(file: string | undefined): string {
  if (file === undefined) return "";
  try {
    return readFileSync(file, "utf8");
  } catch (thrown) {
    throw new HeadwaterError({
      code: status.FAILED_PRECONDITION,
      reason: "HW_API_KEYS_INVALID",
      message: "The file of HEADWATER_GATEWAY_API_KEYS_FILE cannot be read.",
      action: "Check its path and its rights.",
      cause: thrown,
    });
  }
}
