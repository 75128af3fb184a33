import type { IncomingHttpHeaders } from "node:http";
import { HeadwaterError, status } from "@headwater/errors";

/** True for an address that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/** Host header of a request; HTTP/2 has it as a pseudo-header. */
export function authorityOf(headers: IncomingHttpHeaders): string {
  const authority = headers[":authority"] ?? headers.host ?? "";
  return String(authority).toLowerCase();
}

/**
 * Refuses requests that a page of someone else's makes a browser send: by a host name that was made to resolve to
 * this machine (DNS rebinding), or across origins.
 *
 * @param hosts names that are answered; undefined: any
 * @param corsOrigins origins that may send what changes state
 * @throws HeadwaterError PERMISSION_DENIED
 */
export function checkOrigin(
  request: { method: string; headers: IncomingHttpHeaders; upgrade: boolean },
  hosts: readonly string[] | undefined,
  corsOrigins: readonly string[],
): void {
  const authority = authorityOf(request.headers);
  const name = authority.replace(/:\d+$/, "");
  if (hosts && !hosts.includes(name)) {
    throw new HeadwaterError({
      code: status.PERMISSION_DENIED,
      reason: "HW_HOST_FORBIDDEN",
      message: "The Host header names no host that is served here.",
      action: "Use localhost, or add the name to HEADWATER_GATEWAY_HOSTS.",
    });
  }
  const { origin } = request.headers;
  const harmless = ["GET", "HEAD", "OPTIONS"].includes(request.method) && !request.upgrade;
  if (harmless || origin === undefined) return;
  const lower = origin.toLowerCase();
  if (lower === `http://${authority}` || lower === `https://${authority}` || corsOrigins.includes(lower))
    return;
  throw new HeadwaterError({
    code: status.PERMISSION_DENIED,
    reason: "HW_ORIGIN_FORBIDDEN",
    message: "A page of another origin may not send this request.",
    action: "Add its origin to HEADWATER_GATEWAY_CORS_ORIGINS if it is meant to.",
  });
}
