import { invalidArgument } from "@headwater/errors";
import { checkOwner, checkTenant, checkText, decodePageToken } from "@headwater/rpc";
import type { Owner } from "../turns/turn.ts";
import type { ListPlace } from "./memory-store.ts";

const usualHits = 8;
const mostHits = 50;

/** @throws HeadwaterError INVALID_ARGUMENT */
export function checkWhose({ tenant, owner }: Owner): Owner {
  return { tenant: checkTenant(tenant), owner: checkOwner(owner) };
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_TEXT_INVALID */
export function checkStatement(name: string, text: string): string {
  return checkText(name, text, { min: 1, max: 2048 }).trim();
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_TEXT_INVALID */
export function checkQuery(query: string): string {
  return checkText("The query", query, { min: 1, max: 8192 });
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_LIMIT_INVALID */
export function checkHits(limit: number): number {
  if (limit === 0) return usualHits;
  if (limit <= mostHits) return limit;
  throw invalidArgument(
    "HW_LIMIT_INVALID",
    `limit is ${limit}, more than ${mostHits}.`,
    `Send 1 to ${mostHits}, or 0.`,
  );
}

/** Of the list of memories; pages belong to one owner. */
export function listOf({ tenant, owner }: Owner): string {
  return `memories/${tenant}/${owner}`;
}

export function writePlace(createdAt: Date | undefined, id: string): string {
  return `${createdAt?.toISOString() ?? ""} ${id}`;
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_PAGE_TOKEN_INVALID */
export function readPlace(owner: Owner, token: string): ListPlace | undefined {
  const place = decodePageToken(listOf(owner), token);
  if (place === undefined) return undefined;
  const [createdAt = "", id = ""] = place.split(" ");
  if (!Number.isNaN(Date.parse(createdAt)) && /^[0-9a-f-]{36}$/.test(id)) return { createdAt, id };
  throw invalidArgument(
    "HW_PAGE_TOKEN_INVALID",
    "The page token does not belong to this list.",
    "Ask for the first page again, without a token.",
  );
}
