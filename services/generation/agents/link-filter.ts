import type { LinkPolicy } from "./link-policy.ts";

/** Takes links out of text that arrives in pieces cut anywhere. */
export interface LinkFilter {
  push(text: string): string;
  /** What was held back. */
  end(): string;
}

/** Stands for a link that may not get out. */
export const removedLink = "(link removed)";

/** Longest word in code units; one that goes on is broken by a space, so that no address can be too long to be seen. */
const maxWord = 4096;
/** Brackets that are open at once; Markdown has no use for more. */
const maxDepth = 64;

/** Elements of HTML that load, link, send, run or style. */
const elements =
  "a|applet|area|audio|base|body|button|details|div|embed|form|frame|frameset|iframe|image|img|input|link|map|math|meta|object|p|param|picture|portal|script|source|span|style|svg|table|td|template|th|track|video";
/** Endings that are those of files more often than of hosts. */
const files =
  "cc|cpp|css|csv|docx?|go|html?|java|js|json|jsx|md|pdf|php|png|py|rs|sh|toml|ts|tsx|txt|xml|ya?ml";
const schemes = "mailto|javascript|vbscript|data|file|blob|tel|sms|ftp|intent";

/** All that has to be looked at, in order of preference. `u` is left out: its case folding would take `ſ` for `s`. */
const token = new RegExp(
  [
    // Where a link, an image or a definition of Markdown leads.
    String.raw`\](?<mark>[(:])(?<gap>\s*)(?<target><[^>\s]*>?|[^\s)]*)`,
    String.raw`(?<open>!?\[)`,
    String.raw`(?<close>\])`,
    String.raw`(?<tag><)(?=[/!?]?(?:${elements})(?:[\s/>]|$)|!--|!doctype|\?xml)`,
    // With a scheme; of a scheme that acts; by convention; without its scheme; bare, as `host.tld/path`.
    String.raw`(?<address>(?:[a-z][a-z0-9+.-]*:[\\/]{2}|(?:${schemes}):|www\.|(?<![^\s"'(=<])[\\/]{2}(?=[a-z0-9[])|(?<![a-z0-9@./_-])(?:(?:[a-z0-9-]+\.)+(?!(?:${files})\b)[a-z]{2,}|\d{1,3}(?:\.\d{1,3}){3})(?::\d+)?[/?#%])[^\s<>"'\x60]*)`,
  ].join("|"),
  "gi",
);
/** Where an address or a destination may have begun, so that the word has to be seen whole. */
const begun = /[a-z][a-z0-9+.-]*:|www\.|[\\/]|\][(:]|[a-z0-9-]\.(?:[a-z]|\d{1,3}\.)/i;
/** Leads nowhere else than where the reader is: no scheme, nothing that could be a host, nothing encoded. */
const local = new RegExp(
  String.raw`^(?!(?:[a-z0-9-]+\.)+(?!(?:${files})\b)[a-z]{2,}(?:[/?#]|$)|\d+(?:\.\d+){3})(?!.*//)[^:\\&<>%]*$`,
  "is",
);
const trailingMarks = /[.,;:!?)\]}*_|]+$/;

/**
 * Links that the policy does not allow are replaced: those of Markdown and bare ones. Tags of HTML are broken. A word is
 * held back until its end, as only then it is known whether it is an address. However the text is cut into pieces, the
 * result is the same.
 */
export function createLinkFilter(policy: LinkPolicy): LinkFilter {
  let held = "";
  let before = "";
  /** Of each bracket that is open: whether it is an image's. */
  const brackets: boolean[] = [];

  const mayStay = (written: string, image: boolean): boolean => {
    const address = written.replace(/^<|>$/g, "");
    return local.test(address) || (image ? policy.allowsImage(address) : policy.allowsLink(address));
  };
  const replace = (found: string, groups: Readonly<Record<string, string | undefined>>): string => {
    const { mark, gap = "", target = "", open, close, tag, address } = groups;
    if (mark !== undefined) {
      // A definition may be an image's as well as a link's.
      const image = (brackets.pop() ?? false) || mark === ":";
      if (mayStay(target, image)) return found;
      return mark === "(" ? `] ${gap}${removedLink.slice(0, -1)}` : `]:${gap || " "}${removedLink}`;
    }
    if (open !== undefined && brackets.length < maxDepth) brackets.push(open === "![");
    if (close !== undefined) brackets.pop();
    if (tag !== undefined) return "‹";
    if (address === undefined) return found;
    const marks = trailingMarks.exec(address)?.[0] ?? "";
    const bare = address.slice(0, address.length - marks.length);
    const whole = /^www\.|^[a-z0-9-]+\./i.test(bare) && !bare.includes("://") ? `https://${bare}` : bare;
    return policy.allowsLink(whole) ? found : removedLink + marks;
  };
  const release = (text: string): string => {
    if (text === "") return "";
    const offset = before.length;
    const seen = before + text;
    let out = "";
    let at = offset;
    token.lastIndex = offset;
    for (let match = token.exec(seen); match; match = token.exec(seen)) {
      out += seen.slice(at, match.index) + replace(match[0], match.groups ?? {});
      at = match.index + match[0].length;
    }
    before = text.slice(-1);
    return out + seen.slice(at);
  };

  return {
    push(text) {
      let out = "";
      held += text;
      for (let end = endOfWhole(held); end > 0; end = endOfWhole(held)) {
        out += release(held.slice(0, end));
        held = held.slice(end);
      }
      while (held.length > maxWord) {
        out += release(`${held.slice(0, maxWord)} `);
        held = held.slice(maxWord);
      }
      return out;
    },
    end() {
      const rest = held;
      held = "";
      return release(rest);
    },
  };
}

/**
 * Up to where a text means the same whatever follows: to the last white space, or, as some scripts write without any,
 * to the last character beyond ASCII where no address has begun before it.
 */
function endOfWhole(text: string): number {
  const word = text.search(/\S*$/);
  // Spaces may stand between the bracket and the address; and the bracket's own word may be the address of one before it.
  const open = /\S*\][(:]\s*$/.exec(text.slice(0, word));
  if (open) return endOfWhole(text.slice(0, open.index));
  const beyond = /^[\s\S]*[^\0-\x7f]/.exec(text.slice(word))?.[0] ?? "";
  return begun.test(beyond) ? word : word + beyond.length;
}
