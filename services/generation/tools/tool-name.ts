import { hash } from "node:crypto";

/** What model services take. */
const maxLength = 64;

/**
 * A tool's name with its server's before it, so that two servers may have tools of one name. What models do not take is
 * replaced, and what is too long is cut; a digest then keeps names apart that would become one.
 */
export function toolName(server: string, tool: string): string {
  const plain = `${server}__${tool}`;
  const allowed = plain.replaceAll(/[^A-Za-z0-9_-]+/g, "_");
  if (allowed === plain && plain.length <= maxLength) return plain;
  const digest = hash("sha256", plain).slice(0, 8);
  return `${allowed.slice(0, maxLength - digest.length - 1)}_${digest}`;
}
