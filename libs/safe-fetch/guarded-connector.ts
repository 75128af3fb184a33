import type { LookupAddress } from "node:dns";
import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { isIP } from "node:net";
import { buildConnector } from "undici";
import type { AddressGuard } from "./address-guard.ts";
import { addressForbidden } from "./fetch-errors.ts";

/** Finds the addresses of a host. */
export type Resolve = (host: string) => Promise<LookupAddress[]>;

export const systemResolve: Resolve = (host) => lookup(host, { all: true });

/**
 * Connects only where the guard lets it. What is checked is the very address that is connected to: a name that gives
 * another address the next time (DNS rebinding) gains nothing.
 */
export function guardedConnector(
  guard: AddressGuard,
  resolve: Resolve,
  timeoutMs: number,
): buildConnector.connector {
  const guardedLookup: LookupFunction = (host, options, callback) => {
    resolve(host).then(
      (addresses) => {
        const allowed = addresses.filter(({ address }) => guard.allows(host, address));
        const [first] = allowed;
        // A lookup fails with Node's own kind of error.
        if (first === undefined) callback(new Error("refused", { cause: addressForbidden(host) }), "", 0);
        else if (options.all) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      (thrown: NodeJS.ErrnoException) => callback(thrown, "", 0),
    );
  };
  const connect = buildConnector({ lookup: guardedLookup, timeout: timeoutMs, allowH2: false });
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, "");
    // An address is not looked up.
    if (isIP(host) !== 0 && !guard.allows(host, host)) callback(addressForbidden(host), null);
    else connect(options, callback);
  };
}
