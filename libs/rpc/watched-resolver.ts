import { experimental, status } from "@grpc/grpc-js";
import type { AddressWatch } from "./address-watch.ts";

const scheme = "headwater";

/** The watches of channels that are open, by what their targets name. */
const watches = new Map<string, AddressWatch>();
let opened = 0;

type Resolver = experimental.Resolver;
type Listener = experimental.ResolverListener;
type Target = experimental.GrpcUri;

/** Gives a channel the addresses of a watch. gRPC's own look-up asks again only when a connection is lost. */
class WatchedResolver implements Resolver {
  readonly #watch: AddressWatch;
  readonly #listener: Listener;
  #stop: (() => void) | undefined;

  static getDefaultAuthority(target: Target): string {
    return watchOf(target).target;
  }

  constructor(target: Target, listener: Listener) {
    this.#watch = watchOf(target);
    this.#listener = listener;
  }

  updateResolution(): void {
    if (this.#stop) {
      this.#watch.refresh();
      return;
    }
    this.#stop = this.#watch.listen((addresses, failure) => this.#tell(addresses, failure));
    const { known } = this.#watch;
    // The contract: a listener is never called from within this call.
    if (known.length > 0) setImmediate(() => this.#stop && this.#tell(known));
  }

  destroy(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #tell(addresses: readonly string[], failure?: unknown): void {
    const endpoints = addresses.map((address) => ({ addresses: [tcpAddress(address)] }));
    const found: experimental.StatusOr<experimental.Endpoint[]> =
      endpoints.length > 0
        ? experimental.statusOrFromValue(endpoints)
        : experimental.statusOrFromError({
            code: status.UNAVAILABLE,
            details: `${this.#watch.target} has no address: ${failure instanceof Error ? failure.message : "none found"}`,
          });
    this.#listener(found, {}, null, "");
  }
}

experimental.registerResolver(scheme, WatchedResolver);

/** Makes a watch the source of a channel's addresses. */
export function openTarget(watch: AddressWatch): { readonly target: string; close(): void } {
  opened += 1;
  const name = String(opened);
  watches.set(name, watch);
  return { target: `${scheme}:///${name}`, close: () => void watches.delete(name) };
}

function watchOf({ path }: Target): AddressWatch {
  const watch = watches.get(path);
  if (!watch) throw new TypeError(`no channel is open on ${scheme}:///${path}`);
  return watch;
}

function tcpAddress(address: string): experimental.SubchannelAddress {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)) };
}
