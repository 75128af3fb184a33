import type { Socket } from "node:net";
import { isIP } from "node:net";
import type { TLSSocket } from "node:tls";
import { checkServerIdentity, connect } from "node:tls";
import { HeadwaterError } from "@headwater/errors";
import type { Telemetry } from "@headwater/telemetry";
import { serverFaultOf } from "./handshake-fault.ts";
import { RefusalLog } from "./refusal-log.ts";
import { serverProblem } from "./server-problem.ts";
import type { TlsCertificate, TlsFiles } from "./tls-files.ts";
import { checkTlsFiles, readTlsFiles, sameFiles } from "./tls-files.ts";
import type { ClientFault, TlsMetrics } from "./tls-metrics.ts";
import { createTlsMetrics } from "./tls-metrics.ts";
import type { TlsConfig } from "./tls-settings.ts";

/** Milliseconds between two looks at the files. A kubelet brings a changed secret within a minute or so. */
const lookEveryMs = 5000;

/** To whom a connection is made, and over which one where it exists already. */
export type TlsTarget = { readonly socket: Socket } | { readonly host: string; readonly port: number };

/** @returns undefined where TLS is off */
export function openTls(config: TlsConfig | undefined, telemetry: Telemetry): TlsIdentity | undefined {
  return config && new TlsIdentity(config, telemetry);
}

/**
 * A process's own certificate and the authority it trusts, as the files hold them now: a new connection begins with what
 * is in them then, those that exist go on with what they began with.
 */
export class TlsIdentity {
  readonly allowedClients: TlsConfig["allowedClients"];
  readonly #folder: string;
  readonly #telemetry: Telemetry;
  readonly #metrics: TlsMetrics;
  readonly #refusals: RefusalLog;
  readonly #listeners = new Set<(certificate: TlsCertificate) => void>();
  readonly #problems = new Map<string, HeadwaterError>();
  readonly #timer: NodeJS.Timeout;
  #files: TlsFiles;
  #certificate: TlsCertificate;
  /** What was last told of files that cannot be used, so that it is told once and not at each look. */
  #told: string | undefined;

  /** @throws HeadwaterError FAILED_PRECONDITION, HW_TLS_… where the files cannot be used */
  constructor(config: TlsConfig, telemetry: Telemetry, everyMs = lookEveryMs) {
    this.allowedClients = config.allowedClients;
    this.#folder = config.folder;
    this.#telemetry = telemetry;
    this.#files = readTlsFiles(config.folder);
    this.#certificate = checkTlsFiles(config.folder, this.#files);
    this.#metrics = createTlsMetrics(telemetry.metrics);
    this.#refusals = new RefusalLog(telemetry.log, this.#metrics.refused);
    this.#tellExpiry();
    this.#timer = setInterval(() => this.#look(), everyMs).unref();
  }

  get certificate(): TlsCertificate {
    return this.#certificate;
  }

  /** By what name this process is known as a server; undefined where its certificate bears no DNS name. */
  get serverName(): string | undefined {
    return this.#certificate.names.find((name) => !name.includes(":"));
  }

  /** @returns stops telling */
  onChange(listener: (certificate: TlsCertificate) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Begins a connection over HTTP/2. What is wrong with the server is counted and logged; the socket ends with Node's
   * error.
   *
   * @param serverName that the server's certificate has to bear, a DNS name or an IP address
   */
  connect(target: TlsTarget, serverName: string): TLSSocket {
    const socket = connect({
      ...target,
      secureContext: this.#certificate.context,
      ALPNProtocols: ["h2"],
      // A server is known by its name, also where it was reached by the address of a pod.
      checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    });
    socket.on("error", (error) => {
      const fault = socket.authorized ? undefined : serverFaultOf(error);
      if (!fault) return;
      this.#problems.set(serverName, serverProblem(fault, serverName, error));
      this.#refusals.add("client", fault, { server: serverName, err: error });
    });
    socket.once("secureConnect", () => this.#problems.delete(serverName));
    return socket;
  }

  /** Why the last connection to a server of this name failed; undefined where it did not fail in TLS. */
  problem(serverName: string): HeadwaterError | undefined {
    return this.#problems.get(serverName);
  }

  /** A connection or a call that this process, as a server, does not take. */
  refuse(fault: ClientFault, fields: object): void {
    this.#refusals.add("server", fault, fields);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #look(): void {
    try {
      // A folder of Kubernetes' is replaced at once, but not three reads of it: what does not go together is read again.
      const changed = this.#attempt() ?? this.#takeOver();
      this.#told = undefined;
      if (!changed) return;
    } catch (thrown) {
      this.#tellBroken(HeadwaterError.from(thrown));
      return;
    }
    this.#metrics.reloads.inc({ result: "applied" });
    this.#tellExpiry();
    for (const listener of this.#listeners) listener(this.#certificate);
    this.#telemetry.log.info(
      { names: this.#certificate.names, expires: this.#certificate.expires },
      "the certificate files changed, new connections use them",
    );
  }

  #attempt(): boolean | undefined {
    try {
      return this.#takeOver();
    } catch {
      return undefined;
    }
  }

  /** @returns whether the files had changed */
  #takeOver(): boolean {
    const files = readTlsFiles(this.#folder);
    if (sameFiles(files, this.#files)) return false;
    this.#certificate = checkTlsFiles(this.#folder, files);
    this.#files = files;
    return true;
  }

  #tellBroken(error: HeadwaterError): void {
    if (error.message === this.#told) return;
    this.#told = error.message;
    this.#metrics.reloads.inc({ result: "failed" });
    this.#telemetry.log.error(
      { err: error },
      "the certificate files cannot be used, the former ones stay in use",
    );
  }

  #tellExpiry(): void {
    const { expires, authorityExpires } = this.#certificate;
    this.#metrics.expiry.set({ certificate: "own" }, expires.getTime() / 1000);
    this.#metrics.expiry.set({ certificate: "authority" }, authorityExpires.getTime() / 1000);
  }
}
