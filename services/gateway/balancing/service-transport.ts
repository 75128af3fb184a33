import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { NodeTransport } from "@headwater/client/node";
import type { HeadwaterError } from "@headwater/errors";
import type { Lookup } from "@headwater/rpc";
import { AddressWatch } from "@headwater/rpc";
import { createBalancedTransport } from "./balanced-transport.ts";
import { createResilientTransport } from "./resilient-transport.ts";
import { ServerPool } from "./server-pool.ts";

export interface ServiceTransportOptions {
  /** host:port; the host may have many addresses. */
  readonly target: string;
  readonly resolveIntervalMs: number;
  readonly lookup?: Lookup | undefined;
  readonly maxActive: number;
  /** Opens a connection of its own to one of the addresses. */
  readonly connect: (address: string) => NodeTransport;
  /** Why connections fail, where that is known. */
  readonly problem: () => HeadwaterError | undefined;
  readonly onRepeat: (method: string) => void;
}

/** Carries calls to one of the other services, over all of its servers. */
export interface ServiceTransport extends Transport {
  /** Servers that the name leads to. */
  readonly servers: number;
  /** What a call of the method would be refused with, as all servers have just done; undefined where one may take it. */
  refusal(method: DescMethod): unknown;
  close(): void;
}

export function openServiceTransport(options: ServiceTransportOptions): ServiceTransport {
  const { target, resolveIntervalMs: intervalMs, lookup, connect, problem, maxActive, onRepeat } = options;
  const watch = new AddressWatch(target, { intervalMs, ...(lookup ? { lookup } : {}) });
  const pool = new ServerPool(watch, connect, problem);
  const transport = createResilientTransport({
    transport: createBalancedTransport(pool),
    ...{ maxActive, onRepeat },
  });
  return {
    ...transport,
    get servers() {
      return pool.addresses.length;
    },
    refusal: (method) => pool.refusal(method),
    close: () => pool.close(),
  };
}
