import { hostForbidden, urlInvalid } from "./fetch-errors.ts";

/**
 * @param allowHosts "api.example.org", "*.example.org" (what is below it), either with ":8443" for one port; undefined: all
 * @throws HeadwaterError INVALID_ARGUMENT or PERMISSION_DENIED
 */
export function checkUrl(url: URL, allowHosts: readonly string[] | undefined): void {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw urlInvalid(`${url.protocol} is not http or https`);
  // Credentials in an address end in logs and in records.
  if (url.username !== "" || url.password !== "") throw urlInvalid("it holds a user name or a password");
  if (allowHosts !== undefined && !allowHosts.some((pattern) => matchesHost(url, pattern.toLowerCase())))
    throw hostForbidden(url.host);
}

/** @throws HeadwaterError INVALID_ARGUMENT */
export function parseUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (url === null) throw urlInvalid("it is not a URL");
  url.hash = "";
  return url;
}

function matchesHost({ host, hostname }: URL, pattern: string): boolean {
  const name = /:\d+$/.test(pattern) ? host : hostname;
  return pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : name === pattern;
}
