import { invalidArgument } from "@headwater/errors";

/** Tenant and owner of requests that name none. */
export const defaultName = "default";

/** @throws HeadwaterError INVALID_ARGUMENT, HW_TENANT_INVALID */
export function checkTenant(tenant: string): string {
  if (tenant === "") return defaultName;
  if (/^[A-Za-z0-9._-]{1,128}$/.test(tenant)) return tenant;
  throw invalidArgument(
    "HW_TENANT_INVALID",
    "The tenant must be 1 to 128 of letters, digits, dot, underscore and hyphen.",
  );
}

/**
 * Who in the tenant asks: names of people, so mail addresses are fine.
 *
 * @throws HeadwaterError INVALID_ARGUMENT, HW_OWNER_INVALID
 */
export function checkOwner(owner: string): string {
  if (owner === "") return defaultName;
  if (/^[A-Za-z0-9._@-]{1,128}$/.test(owner)) return owner;
  throw invalidArgument(
    "HW_OWNER_INVALID",
    "The owner must be 1 to 128 of letters, digits, dot, underscore, hyphen and @.",
  );
}

/**
 * Both of a request that has both.
 *
 * @throws HeadwaterError INVALID_ARGUMENT, HW_TENANT_INVALID or HW_OWNER_INVALID
 */
export function checkWhose({ tenant, owner }: { tenant: string; owner: string }) {
  return { tenant: checkTenant(tenant), owner: checkOwner(owner) };
}

export function isUuid(id: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_ID_INVALID where it is no UUID */
export function checkUuid(id: string): string {
  if (isUuid(id)) return id.toLowerCase();
  throw invalidArgument("HW_ID_INVALID", "The id is no UUID.", "Send the id as it was given out.");
}

/** What PostgreSQL cannot hold, and lone surrogates, which no UTF-8 has. */
const unkeepable = /\0|\p{Cs}/u;

/**
 * @param range length in UTF-16 code units
 * @throws HeadwaterError INVALID_ARGUMENT, HW_TEXT_INVALID
 */
export function checkText(name: string, text: string, range: { min: number; max: number }): string {
  const { min, max } = range;
  const problem =
    text.length < min || (min > 0 && text.trim() === "")
      ? "is empty"
      : text.length > max
        ? `has ${text.length} code units`
        : unkeepable.test(text)
          ? "holds NUL or half a character"
          : undefined;
  if (problem === undefined) return text;
  throw invalidArgument(
    "HW_TEXT_INVALID",
    `${name} ${problem}.`,
    `Send ${min} to ${max} code units of text.`,
  );
}
