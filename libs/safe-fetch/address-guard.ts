import { invalidArgument } from "@headwater/errors";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** All that IANA has given out as public IPv6. */
const globalUnicast = ipaddr.IPv6.parseCIDR("2000::/3");
/** What naming a host may open. Never link-local: the credentials of cloud machines are there. */
const rangesOfNamedHosts = new Set(["loopback", "private", "carrierGradeNat", "uniqueLocal"]);

/** Says which addresses may be connected to: public ones, and those that were named. */
export class AddressGuard {
  readonly #networks: (readonly [Address, number])[] = [];
  readonly #hosts = new Set<string>();

  /**
   * @param allowed beyond public addresses: an address, a network such as "10.1.0.0/16", or the name of a host, whose
   * private addresses may then be connected to
   * @throws HeadwaterError INVALID_ARGUMENT
   */
  constructor(allowed: readonly string[]) {
    for (const entry of allowed) {
      if (ipaddr.isValid(entry)) this.#networks.push(networkOf(entry));
      else if (ipaddr.isValidCIDR(entry)) this.#networks.push(ipaddr.parseCIDR(entry));
      else if (/^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?$/i.test(entry)) this.#hosts.add(plainHost(entry));
      else {
        throw invalidArgument(
          "HW_ADDRESS_INVALID",
          `${entry} is neither an address, nor a network, nor the name of a host.`,
          "Name it such as 10.1.2.3, 10.1.0.0/16 or wiki.internal.",
        );
      }
    }
  }

  /** @param host as the URL names it; @param address that it was resolved to */
  allows(host: string, address: string): boolean {
    if (!ipaddr.isValid(address)) return false;
    // IPv4 in the form of IPv6 (::ffff:10.0.0.1) leads to the same machine.
    const parsed = ipaddr.process(address);
    if (isPublic(parsed)) return true;
    if (this.#networks.some((network) => contains(network, parsed))) return true;
    return rangesOfNamedHosts.has(parsed.range()) && this.#hosts.has(plainHost(host));
  }
}

function isPublic(address: Address): boolean {
  if (address.range() !== "unicast") return false;
  return address instanceof ipaddr.IPv4 || address.match(globalUnicast);
}

function networkOf(text: string): [Address, number] {
  const address = ipaddr.process(text);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}

function contains([network, bits]: readonly [Address, number], address: Address): boolean {
  if (network.kind() !== address.kind()) return false;
  return address.match(network as ipaddr.IPv4 & ipaddr.IPv6, bits);
}

function plainHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}
