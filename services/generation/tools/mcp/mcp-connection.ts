import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@headwater/telemetry";
import type { CallToolResult, Tool, Transport } from "@modelcontextprotocol/client";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { createRedactor } from "../redaction.ts";
import type { McpSettings } from "../tool-settings.ts";
import { limitedFetch } from "./limited-fetch.ts";
import { ProcessTransport } from "./process-transport.ts";
import { callTimeout, isRefusal, isTimeout, reasonOf, serverUnavailable } from "./server-errors.ts";

/** Milliseconds until a server that could not be reached is tried again; doubled with each failure. */
const backOffMs = { first: 500, longest: 60_000 };
/** Milliseconds for which a list of tools holds where the server does not tell of changes. */
const listingAgeMs = 60_000;

/** Milliseconds that a server has to end its session, while this service waits to close. */
const sessionEndMs = 1000;

interface Connected {
  readonly client: Client;
  /** Fires when the connection has ended. */
  readonly ended: AbortSignal;
}

/**
 * One MCP server. Connects when it is first needed, and again when the connection was lost; after a failure only once some
 * time has passed, so that a server that is down costs a turn nothing.
 */
export class McpConnection {
  readonly name: string;
  /** Takes the server's credentials out of what it says. */
  readonly redact: (text: string) => string;
  readonly #settings: McpSettings;
  readonly #log: Logger;
  #connecting: Promise<Connected> | undefined;
  /** Of the connection that there is, or is to be. */
  #transport: Transport | undefined;
  #listing: { readonly tools: Promise<readonly Tool[]>; readonly until: number } | undefined;
  #failures = 0;
  #notBefore = 0;
  #lastFailure: unknown;
  #closed = false;

  constructor(settings: McpSettings, log: Logger) {
    const { name, server } = settings;
    this.name = name;
    this.#settings = settings;
    this.#log = log;
    this.redact = createRedactor((server.kind === "process" ? server.environment : server.headers).secrets);
  }

  /** @throws HeadwaterError UNAVAILABLE, HW_MCP_UNAVAILABLE */
  async tools(): Promise<readonly Tool[]> {
    const { client, ended } = await this.#connected();
    if (this.#listing === undefined || this.#listing.until < performance.now()) {
      const tools = this.#list(client);
      this.#listing = { tools, until: performance.now() + listingAgeMs };
      tools.catch(() => this.#forgetListing());
    }
    try {
      return await this.#listing.tools;
    } catch (thrown) {
      if (!isRefusal(thrown) && !ended.aborted) await client.close();
      throw this.#unavailable(thrown);
    }
  }

  /**
   * @throws HeadwaterError UNAVAILABLE, HW_MCP_UNAVAILABLE; DEADLINE_EXCEEDED, HW_MCP_TIMEOUT
   * @throws ProtocolError what the server refused
   * @throws AbortError when the signal fires; the server has been told
   */
  async call(tool: string, input: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult> {
    const { client, ended } = await this.#connected();
    const { timeoutMs } = this.#settings;
    try {
      return await client.callTool({ name: tool, arguments: input }, { signal, timeout: timeoutMs });
    } catch (thrown) {
      signal.throwIfAborted();
      if (isRefusal(thrown)) throw thrown;
      if (isTimeout(thrown)) throw callTimeout(this.name, timeoutMs);
      if (!ended.aborted) await client.close();
      throw this.#unavailable(thrown);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const transport = this.#transport;
    if (transport instanceof StreamableHTTPClientTransport) await this.#endSession(transport);
    // A connection that is still being made fails by it, and whoever waits for it is told.
    await transport?.close();
  }

  /** Servers of 2025 may keep a session, which they cannot know to be over. */
  async #endSession(transport: StreamableHTTPClientTransport): Promise<void> {
    const ended = transport.terminateSession().catch((thrown: unknown) => {
      const why = this.redact(reasonOf(thrown));
      this.#log.debug({ server: this.name, why }, "the session of an MCP server was left to it");
    });
    await Promise.race([ended, delay(sessionEndMs, undefined, { ref: false })]);
  }

  #connected(): Promise<Connected> {
    if (this.#closed) return Promise.reject(serverUnavailable(this.name, "this service is shutting down"));
    if (this.#connecting === undefined) {
      if (performance.now() < this.#notBefore) return Promise.reject(this.#unavailable(this.#lastFailure));
      this.#connecting = this.#connect().catch((thrown: unknown) => {
        this.#failed(thrown);
        throw this.#unavailable(thrown);
      });
    }
    return this.#connecting;
  }

  async #connect(): Promise<Connected> {
    const ended = new AbortController();
    const client = new Client(
      { name: "headwater", version: "1" },
      {
        versionNegotiation: { mode: "auto" },
        listChanged: { tools: { autoRefresh: false, onChanged: () => this.#forgetListing() } },
      },
    );
    const transport = this.#createTransport(client);
    this.#transport = transport;
    client.onclose = () => {
      ended.abort();
      this.#connecting = undefined;
      this.#forgetListing();
    };
    client.onerror = (error) =>
      this.#log.debug({ server: this.name, why: this.redact(reasonOf(error)) }, "an MCP server misbehaved");
    try {
      await client.connect(transport, { timeout: this.#settings.connectTimeoutMs });
    } catch (thrown) {
      await client.close();
      await transport.close();
      const said = transport instanceof ProcessTransport ? transport.lastErrors : "";
      throw said === "" ? thrown : new Error(`${reasonOf(thrown)} (${said})`);
    }
    this.#failures = 0;
    return { client, ended: ended.signal };
  }

  #createTransport(client: Client): Transport {
    const { server, maxMessageBytes } = this.#settings;
    if (server.kind === "process") return new ProcessTransport(server, maxMessageBytes);
    return new StreamableHTTPClientTransport(new URL(server.url), {
      requestInit: { headers: server.headers.values },
      fetch: limitedFetch(maxMessageBytes, () => void client.close()),
    });
  }

  async #list(client: Client): Promise<readonly Tool[]> {
    const { connectTimeoutMs, allow } = this.#settings;
    const { tools } = await client.listTools(undefined, { timeout: connectTimeoutMs, cacheMode: "bypass" });
    return allow === undefined ? tools : tools.filter(({ name }) => allow.includes(name));
  }

  #failed(thrown: unknown): void {
    const wait = Math.min(backOffMs.longest, backOffMs.first * 2 ** this.#failures);
    this.#failures += 1;
    this.#notBefore = performance.now() + wait;
    this.#lastFailure = thrown;
    this.#connecting = undefined;
    this.#log.warn(
      { server: this.name, why: this.redact(reasonOf(thrown)), retry_after_ms: wait },
      "an MCP server cannot be reached",
    );
  }

  #forgetListing(): void {
    this.#listing = undefined;
  }

  #unavailable(thrown: unknown) {
    return serverUnavailable(this.name, this.redact(reasonOf(thrown)));
  }
}
