/** Which links an answer may hold. */
export interface LinkPolicy {
  /** True for an address that people may be led to. */
  allowsLink(address: string): boolean;
  /** True for an address that the reader's browser may load by itself, telling whoever is there. */
  allowsImage(address: string): boolean;
}

/**
 * A model that was told so by a document could write what it knows into an address: an image is loaded as soon as it is
 * shown, a link as soon as it is followed. So images come from named hosts only, and links lead there, or exactly to
 * where a source lies, or to what the person wrote.
 *
 * @param hosts "docs.example.com", or "*.example.com" for all below it
 * @param known addresses that may stand in an answer as they are
 */
export function createLinkPolicy(hosts: readonly string[], known: () => readonly string[]): LinkPolicy {
  const onNamedHost = (url: URL) =>
    hosts.some((host) =>
      host.startsWith("*.") ? url.hostname.endsWith(host.slice(1)) : url.hostname === host.toLowerCase(),
    );
  return {
    allowsLink(address) {
      const url = webAddress(address);
      if (!url) return false;
      if (onNamedHost(url)) return true;
      return known().some((one) => webAddress(one)?.href === url.href);
    },
    allowsImage(address) {
      const url = webAddress(address);
      return url !== undefined && onNamedHost(url);
    },
  };
}

/** Addresses in a text of the person's own. */
export function addressesIn(text: string): string[] {
  return text.match(/https?:\/\/[^\s<>"'`)\]}]+/gi) ?? [];
}

/** What readers of Markdown and HTML read differently: escapes, entities, white space, a second address in the first. */
const ambiguous = /[\\\s\p{C}]|&#?\w+;|:[\\/]{2}.*:[\\/]{2}/u;

/** Only of the web, and without a user name, which can pass for a host. */
function webAddress(address: string): URL | undefined {
  if (ambiguous.test(address) || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (!/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") return undefined;
  return url;
}
