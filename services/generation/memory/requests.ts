import { invalidArgument } from "@headwater/errors";
import { checkText } from "@headwater/rpc";
import type { Owner } from "../turns/turn.ts";

const usualHits = 8;
const mostHits = 50;

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
