import type { Socket } from "node:net";
import { connect } from "node:net";

/** @param address host:port, an IPv6 host in brackets */
export function openSocket(address: string): Socket {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[|\]$/g, "");
  return connect({ host, port: Number(address.slice(at + 1)), noDelay: true });
}

/**
 * Carries bytes both ways; either end goes with the other, which is what a test wants, or will see.
 *
 * @param open where both are as long as they are open
 */
export function relay(near: Socket, far: Socket, open: Set<Socket>): void {
  carry(near, far, open);
  carry(far, near, open);
}

function carry(from: Socket, to: Socket, open: Set<Socket>): void {
  open.add(from);
  from.on("data", (bytes) => to.write(bytes));
  from.on("error", () => to.destroy());
  from.on("close", () => {
    open.delete(from);
    to.destroy();
  });
}
