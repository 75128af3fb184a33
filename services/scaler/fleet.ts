import { isIPv6 } from "node:net";
import type { WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import { LoadServiceDefinition } from "@headwater/proto/services/headwater/v1/load";
import type { TlsIdentity } from "@headwater/rpc";
import { createRpcClient } from "@headwater/rpc";
import type { Logger } from "@headwater/telemetry";
import type { FollowedService } from "./followed-service.ts";
import type { Resolve } from "./name-resolution.ts";
import { Pod } from "./pod.ts";

/** How all pods of a service are, as far as is known. */
export interface FleetView {
  /** Reports of those that are heard. */
  readonly reporting: readonly WatchLoadResponse[];
  /** Last reports of those that were heard and are not any more. */
  readonly lost: readonly WatchLoadResponse[];
  /** How many are there and were never heard. */
  readonly unheard: number;
}

export interface FleetOptions {
  readonly service: FollowedService;
  /** host:port, a name with an address for each pod. */
  readonly address: string;
  readonly resolve: Resolve;
  readonly pace: FleetPace;
  /** Undefined: plain text. */
  readonly tls: TlsIdentity | undefined;
  readonly log: Logger;
  readonly onReport: () => void;
  readonly onUnresolved: () => void;
}

/** In milliseconds. */
export interface FleetPace {
  /** Between two looks at which pods there are. */
  readonly resolveMs: number;
  /** For which pods are waited for after the first look. */
  readonly settleMs: number;
  /** For which the last report of a pod counts that is neither listed nor heard any more. */
  readonly forgetMs: number;
}

export const usualPace: FleetPace = { resolveMs: 1000, settleMs: 5000, forgetMs: 30_000 };

interface Member {
  readonly pod: Pod;
  /** When it was found to be listed no more, by `performance.now()`; undefined while it is. */
  unlistedAt: number | undefined;
}

/** Follows the pods of one service as they come and go. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #host: string;
  readonly #port: string;
  readonly #members = new Map<string, Member>();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void> | undefined;
  #firstLookAt: number | undefined;
  #settled = false;
  #unresolved = false;
  #closed = false;

  constructor(options: FleetOptions) {
    this.#options = options;
    const colon = options.address.lastIndexOf(":");
    this.#host = options.address.slice(0, colon).replace(/^\[|\]$/g, "");
    this.#port = options.address.slice(colon + 1);
    this.#timer = setInterval(() => this.#lookUnlessLooking(), options.pace.resolveMs);
    this.#lookUnlessLooking();
  }

  /** True once it is known which pods there are, and each has reported or had the time to. */
  get settled(): boolean {
    if (this.#settled || this.#firstLookAt === undefined) return this.#settled;
    const timeIsUp = performance.now() - this.#firstLookAt > this.#options.pace.settleMs;
    this.#settled = timeIsUp || this.view.unheard === 0;
    return this.#settled;
  }

  get view(): FleetView {
    const reporting: WatchLoadResponse[] = [];
    const lost: WatchLoadResponse[] = [];
    let unheard = 0;
    for (const { pod } of this.#members.values()) {
      const { state, report } = pod;
      if (state === "unheard") unheard += 1;
      else if (report && state === "reporting") reporting.push(report);
      else if (report && state === "lost") lost.push(report);
    }
    return { reporting, lost, unheard };
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.all([...this.#members.values()].map(({ pod }) => pod.close()));
    this.#members.clear();
  }

  #lookUnlessLooking(): void {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  async #look(): Promise<void> {
    const { service, resolve, log, onUnresolved } = this.#options;
    try {
      const listed = new Set(await resolve(this.#host));
      if (this.#unresolved) log.info({ service }, "the name is resolved again");
      this.#unresolved = false;
      if (this.#closed) return;
      this.#firstLookAt ??= performance.now();
      this.#admit(listed);
    } catch (thrown) {
      // The pods that are known stay: that their names cannot be asked for says nothing about them.
      onUnresolved();
      if (!this.#unresolved) log.warn({ service, err: thrown }, "the name cannot be resolved");
      this.#unresolved = true;
    }
    await this.#dismiss();
  }

  #admit(listed: ReadonlySet<string>): void {
    for (const ip of listed) {
      const known = this.#members.get(ip);
      if (known) known.unlistedAt = undefined;
      else this.#members.set(ip, { pod: this.#connect(ip), unlistedAt: undefined });
    }
    for (const [ip, member] of this.#members) {
      if (!listed.has(ip)) member.unlistedAt ??= performance.now();
    }
  }

  #connect(ip: string): Pod {
    const address = `${isIPv6(ip) ? `[${ip}]` : ip}:${this.#port}`;
    const { service, tls, log, onReport } = this.#options;
    return new Pod({
      // A pod's certificate bears the name of its service, not its address.
      client: createRpcClient(LoadServiceDefinition, address, { tls, serverName: this.#host }),
      onReport,
      onTrouble: (err) => log.warn({ service, pod: address, err }, "a pod is not heard"),
    });
  }

  /** Forgets pods that are neither listed nor heard. */
  async #dismiss(): Promise<void> {
    for (const [ip, { pod, unlistedAt }] of this.#members) {
      if (unlistedAt === undefined || pod.state === "reporting") continue;
      if (pod.state === "lost" && performance.now() - unlistedAt < this.#options.pace.forgetMs) continue;
      this.#members.delete(ip);
      await pod.close();
    }
  }
}
