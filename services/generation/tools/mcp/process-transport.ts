import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";
import { ReadBuffer, serializeMessage } from "@modelcontextprotocol/client";
import type { McpProcess } from "../tool-settings.ts";

/** Milliseconds that a server has to end by itself once its input has ended, and again once it is told to. */
const graceMs = 2000;
/** Code units of what a server wrote to its standard error last. */
const maxErrorLength = 500;

/**
 * A server as a process in a group of its own, so that what it started ends with it; the SDK's own transport ends the
 * process alone, which for `npx` and shells is not the server.
 */
export class ProcessTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  readonly #server: McpProcess;
  readonly #incoming: ReadBuffer;
  #child: ChildProcess | undefined;
  #errors = "";
  #closing: Promise<void> | undefined;

  constructor(server: McpProcess, maxMessageBytes: number) {
    this.#server = server;
    this.#incoming = new ReadBuffer({ maxBufferSize: maxMessageBytes });
  }

  /** Of the server; the group has the same number. With `stderr` it tells the SDK that this is a pipe. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get stderr(): null {
    return null;
  }

  /** What the server wrote to its standard error last: why it did not start. */
  get lastErrors(): string {
    return this.#errors.trim();
  }

  async start(): Promise<void> {
    const { command, args, folder, environment } = this.#server;
    const child = spawn(command, args, {
      cwd: folder,
      env: environment.values,
      detached: true,
      stdio: "pipe",
    });
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = (this.#errors + text).slice(-maxErrorLength);
    });
    child.stdout.on("data", (bytes: Buffer) => this.#read(bytes));
    // A server that has gone is noticed by its end; what could not be written then is no news.
    child.stdin.on("error", (error) => this.onerror?.(error));
    await once(child, "spawn");
    child.on("error", (error) => this.onerror?.(error));
    child.once("close", () => {
      this.#closing ??= Promise.resolve();
      this.#signalGroup("SIGKILL");
      this.onclose?.();
    });
  }

  send(message: JSONRPCMessage): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stdin = this.#child?.stdin;
    if (!stdin?.writable) return Promise.reject(new Error("the server's process has ended"));
    stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
    return promise;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #read(bytes: Buffer): void {
    try {
      this.#incoming.append(bytes);
      for (let message = this.#incoming.readMessage(); message; message = this.#incoming.readMessage())
        this.onmessage?.(message);
    } catch (thrown) {
      // Too long, or no JSON: what follows cannot be trusted to begin where a message begins.
      this.onerror?.(thrown as Error);
      void this.close();
    }
  }

  async #end(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.stdin?.end();
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        await Promise.race([ended, delay(graceMs, undefined, { ref: false })]);
        this.#signalGroup(signal);
      }
      await ended;
    }
    // Whoever left the group may hold the other ends open; `close` is to come all the same.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  }

  #signalGroup(signal: NodeJS.Signals): void {
    if (!this.#child?.pid) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch (thrown) {
      // Nobody is left in the group.
      if (!(thrown instanceof Error && "code" in thrown && thrown.code === "ESRCH")) throw thrown;
    }
  }
}
