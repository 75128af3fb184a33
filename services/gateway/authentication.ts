import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";

/** A key that opens one tenant. Only its digest is kept, so that a heap dump holds no key. */
export interface ApiKey {
  readonly sha256: Buffer;
  readonly tenant: string;
  /** Whom in the tenant it stands for; "": nobody in particular; "*": whomever a request names. */
  readonly owner: string;
}

/** Who sent a request. */
export interface Caller {
  /** Stands for the caller in rate limits and logs; tells nothing of the key. */
  readonly id: string;
  /** Owner of the documents that the request is about; "" where sign-in is off and none was named. */
  readonly tenant: string;
  /** True: the tenant comes from credentials and a request may not name another. */
  readonly bound: boolean;
  /** Whose conversations and memories the request is about; "": those of "default". */
  readonly owner: string;
  /** True: the owner comes from credentials and a request may not name another. */
  readonly ownerBound: boolean;
}

export const tenantHeader = "x-headwater-tenant";
export const ownerHeader = "x-headwater-owner";
const tenantPattern = /^[A-Za-z0-9._-]{1,128}$/;
const ownerPattern = /^[A-Za-z0-9._@-]{1,128}$/;
/** In the place of an owner: the key's holder, such as a server with users of its own, may name anybody. */
const anyOwner = "*";
/** Whose what nobody in particular does is. */
const nobody = "default";

/**
 * Entries `key tenant` or `key tenant owner`, separated by line breaks or commas; `#` starts a comment line. A key may
 * be given as `sha256:<hex>`, so that a file need not hold it.
 *
 * @throws HeadwaterError HW_API_KEYS_INVALID
 */
export function parseApiKeys(text: string): ApiKey[] {
  const entries = text
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "" && !entry.startsWith("#"));
  return entries.map((entry, index) => {
    const [key, tenant, owner = "", ...rest] = entry.split(/\s+/);
    const ownerValid = owner === "" || owner === anyOwner || ownerPattern.test(owner);
    if (!key || !tenant || rest.length > 0 || !tenantPattern.test(tenant) || !ownerValid) {
      throw new HeadwaterError({
        code: status.FAILED_PRECONDITION,
        reason: "HW_API_KEYS_INVALID",
        message: `Entry ${index + 1} of the API keys is not of the form \`key tenant\` or \`key tenant owner\`.`,
        action:
          "Write a line for each key: the key, its tenant (1 to 128 of A-Z a-z 0-9 . _ -) and, where it is one " +
          "person's, that person (A-Z a-z 0-9 . _ @ -), or * where its holder speaks for many.",
      });
    }
    const digest = /^sha256:([0-9a-fA-F]{64})$/.exec(key)?.[1];
    return { sha256: digest ? Buffer.from(digest, "hex") : sha256(key), tenant, owner };
  });
}

/**
 * @param remoteAddress stands for the caller where sign-in is off
 * @throws HeadwaterError UNAUTHENTICATED where sign-in is on and the key is missing or unknown; INVALID_ARGUMENT for
 *   a tenant or owner that cannot be; PERMISSION_DENIED for one that is not the key's
 */
export function authenticate(
  keys: readonly ApiKey[],
  headers: IncomingHttpHeaders,
  remoteAddress: string,
): Caller {
  const tenant = headerOf(headers, tenantHeader);
  if (tenant !== "" && !tenantPattern.test(tenant)) throw tenantInvalid();
  const owner = headerOf(headers, ownerHeader);
  if (owner !== "" && !ownerPattern.test(owner)) throw ownerInvalid();
  if (keys.length === 0) return { id: remoteAddress, tenant, bound: false, owner, ownerBound: false };
  const key = bearerKey(headers);
  const found = key === undefined ? undefined : findKey(keys, key);
  if (!found) {
    throw new HeadwaterError({
      code: status.UNAUTHENTICATED,
      reason: key === undefined ? "HW_CREDENTIALS_MISSING" : "HW_CREDENTIALS_UNKNOWN",
      message: key === undefined ? "The request has no API key." : "The API key is not known.",
      action: "Send `Authorization: Bearer <key>` with a key that the operator gave you.",
    });
  }
  if (tenant !== "" && tenant !== found.tenant) throw tenantForbidden();
  const caller = {
    id: `key:${found.sha256.toString("hex", 0, 6)}`,
    ...{ tenant: found.tenant, bound: true },
  };
  if (found.owner === anyOwner) return { ...caller, owner, ownerBound: false };
  if (owner !== "" && owner !== (found.owner || nobody)) throw ownerForbidden();
  return { ...caller, owner: found.owner || nobody, ownerBound: true };
}

/**
 * The tenant that a request is about.
 *
 * @param named in the request itself; may be empty
 * @throws HeadwaterError PERMISSION_DENIED where the caller's credentials are for another
 */
export function tenantOf(caller: Caller, named: string): string {
  if (!caller.bound) return named || caller.tenant;
  if (named !== "" && named !== caller.tenant) throw tenantForbidden();
  return caller.tenant;
}

/**
 * Whose conversations and memories a request is about.
 *
 * @param named in the request itself; may be empty
 * @throws HeadwaterError PERMISSION_DENIED where the caller's credentials are for another
 */
export function ownerOf(caller: Caller, named: string): string {
  if (!caller.ownerBound) return named || caller.owner;
  if (named !== "" && named !== caller.owner) throw ownerForbidden();
  return caller.owner;
}

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value : "";
}

function bearerKey(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return bearer;
  // Browsers cannot set headers on a WebSocket; they name the key as a further subprotocol.
  const protocols = headers["sec-websocket-protocol"]?.split(",") ?? [];
  return protocols.map((name) => /^bearer\.(\S+)$/.exec(name.trim())?.[1]).find((key) => key !== undefined);
}

/** Compares with every key, in time that does not depend on which one matches. */
function findKey(keys: readonly ApiKey[], key: string): ApiKey | undefined {
  const digest = sha256(key);
  let found: ApiKey | undefined;
  for (const candidate of keys) if (timingSafeEqual(candidate.sha256, digest)) found = candidate;
  return found;
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function tenantInvalid(): HeadwaterError {
  return invalidArgument(
    "HW_TENANT_INVALID",
    `The header ${tenantHeader} holds no valid tenant.`,
    "Send 1 to 128 of A-Z a-z 0-9 . _ -",
  );
}

function tenantForbidden(): HeadwaterError {
  return new HeadwaterError({
    code: status.PERMISSION_DENIED,
    reason: "HW_TENANT_FORBIDDEN",
    message: "The API key is for another tenant.",
    action: "Leave the tenant out, or use a key of that tenant.",
  });
}

function ownerInvalid(): HeadwaterError {
  return invalidArgument(
    "HW_OWNER_INVALID",
    `The header ${ownerHeader} holds no valid owner.`,
    "Send 1 to 128 of A-Z a-z 0-9 . _ @ -",
  );
}

function ownerForbidden(): HeadwaterError {
  return new HeadwaterError({
    code: status.PERMISSION_DENIED,
    reason: "HW_OWNER_FORBIDDEN",
    message: "The API key does not speak for this owner.",
    action: "Leave the owner out, or use a key of that owner, or one that was made with * for its owner.",
  });
}
