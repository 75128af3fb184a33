import type { DefaultTreeAdapterTypes } from "parse5";
import { parse } from "parse5";
import { productToken } from "./robots.ts";

/** What a crawler has to know of a page of HTML. */
export interface HtmlPage {
  /** Where it says that it really is; undefined where it does not say. */
  readonly canonical: URL | undefined;
  /** Without those that it does not vouch for (nofollow). */
  readonly links: readonly URL[];
  readonly directives: Directives;
}

export interface Directives {
  readonly noindex: boolean;
  readonly nofollow: boolean;
}

type Element = DefaultTreeAdapterTypes.Element;

export function readHtmlPage(html: string, url: URL): HtmlPage {
  let base = url;
  let canonical: URL | undefined;
  let directives = readDirectives("");
  const hrefs: string[] = [];
  for (const element of elementsOf(html)) {
    const attribute = (name: string) => element.attrs.find((one) => one.name === name)?.value;
    const href = attribute("href");
    const relations = (attribute("rel") ?? "").toLowerCase().split(/\s+/);
    const name = element.tagName === "meta" ? (attribute("name") ?? "").toLowerCase() : "";
    if (name === "robots" || name === productToken.toLowerCase())
      directives = either(directives, readDirectives(attribute("content") ?? ""));
    if (href === undefined) continue;
    if (element.tagName === "base") base = URL.parse(href, url) ?? url;
    else if (element.tagName === "link" && relations.includes("canonical"))
      canonical ??= URL.parse(href, base) ?? undefined;
    else if (element.tagName === "a" && !relations.includes("nofollow")) hrefs.push(href);
  }
  const links = hrefs.flatMap((href) => URL.parse(href, base) ?? []);
  return { canonical, links: directives.nofollow ? [] : links, directives };
}

/** Of a robots meta element, or of the header X-Robots-Tag, which may be meant for others: "otherbot: noindex". */
export function readDirectives(text: string): Directives {
  const words = text
    .toLowerCase()
    .split(",")
    .flatMap((part) => {
      const [, agent, word] = /^\s*(?:([a-z0-9_-]+)\s*:)?\s*(\S*)\s*$/.exec(part) ?? [];
      return agent === undefined || agent === productToken.toLowerCase() ? (word ?? "") : [];
    });
  const none = words.includes("none");
  return { noindex: none || words.includes("noindex"), nofollow: none || words.includes("nofollow") };
}

export function either(one: Directives, other: Directives): Directives {
  return { noindex: one.noindex || other.noindex, nofollow: one.nofollow || other.nofollow };
}

/** In document order, without recursion: a hostile page may be nested deeper than the stack. */
function* elementsOf(html: string): Generator<Element> {
  const open: DefaultTreeAdapterTypes.Node[] = [parse(html)];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if ("tagName" in node) yield node;
    if ("childNodes" in node) open.push(...node.childNodes.toReversed());
  }
}
