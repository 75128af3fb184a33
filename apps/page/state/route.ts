/** Where the reader is, as the address says it: links can be sent to others, and back goes back. */
import type { FusionMethodName } from "@headwater/client";
import { fusionMethods } from "@headwater/client";

export const views = [
  "search",
  "ask",
  "chat",
  "documents",
  "agents",
  "prompts",
  "memory",
  "jobs",
  "pipeline",
] as const;
export type View = (typeof views)[number];

export const documentGroups = ["all", "active", "indexed", "failed"] as const;
export type DocumentGroup = (typeof documentGroups)[number];

/** Part of a text, in UTF-16 code units, end exclusive. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** A document that is open beside the view, and what is marked in it. */
export interface OpenDocument {
  readonly id: string;
  /** Unix milliseconds by default; 0: the newest. */
  readonly version: number;
  readonly mark: Range | undefined;
  /** From 1; 0: none. */
  readonly page: number;
  readonly headings: readonly string[];
}

export interface SearchOptions {
  readonly mediaTypes: readonly string[];
  readonly attributes: readonly (readonly [key: string, value: string])[];
  /** "" leaves it to the server. */
  readonly fusion: "" | FusionMethodName;
  /** 0 to 1; undefined leaves it to the server. */
  readonly lexicalWeight: number | undefined;
  readonly rerank: boolean;
  readonly groupByDocument: boolean;
}

export interface Route {
  readonly view: View;
  readonly query: string;
  readonly options: SearchOptions;
  /** Which documents the list shows. */
  readonly group: DocumentGroup;
  /** Only documents whose id starts with it. */
  readonly prefix: string;
  /** The open conversation; empty: a new one. */
  readonly conversation: string;
  /** In the chat, the agent of a new conversation; among the agents, the one that is open. */
  readonly agent: string;
  /** The prompt that is open; empty: none. */
  readonly prompt: string;
  /** The job that is open; empty: none. */
  readonly job: string;
  readonly document: OpenDocument | undefined;
}

export const plainOptions: SearchOptions = {
  mediaTypes: [],
  attributes: [],
  fusion: "",
  lexicalWeight: undefined,
  rerank: true,
  groupByDocument: false,
};

export const homeRoute: Route = {
  view: "search",
  query: "",
  options: plainOptions,
  group: "all",
  prefix: "",
  conversation: "",
  agent: "",
  prompt: "",
  job: "",
  document: undefined,
};

/** Joins heading paths in the address; a heading that holds it is split, which only changes how it is shown. */
const headingSeparator = " › ";

/** Reads the query part of an address. What it does not understand is left at its default. */
export function parseRoute(search: string): Route {
  const params = new URLSearchParams(search);
  const one = (name: string) => params.get(name) ?? "";

  const weight = Number.parseFloat(one("words"));
  return {
    view: views.find((view) => view === params.get("view")) ?? "search",
    query: one("q"),
    options: {
      mediaTypes: params.getAll("type"),
      attributes: params.getAll("attr").flatMap((pair) => {
        const colon = pair.indexOf(":");
        return colon > 0 ? [[pair.slice(0, colon), pair.slice(colon + 1)] as const] : [];
      }),
      fusion: fusionMethods.find((method) => method === one("fusion")) ?? "",
      lexicalWeight: weight >= 0 && weight <= 1 ? weight : undefined,
      rerank: one("rerank") !== "off",
      groupByDocument: one("group") === "document",
    },
    group: documentGroups.find((group) => group === params.get("show")) ?? "all",
    prefix: one("prefix"),
    conversation: one("conversation"),
    agent: one("agent"),
    prompt: one("prompt"),
    job: one("job"),
    document: openDocument(one),
  };
}

function openDocument(one: (name: string) => string): OpenDocument | undefined {
  if (one("doc") === "") return undefined;
  const [, start, end] = /^(\d{1,9})-(\d{1,9})$/.exec(one("mark")) ?? [];
  const mark = { start: Number(start), end: Number(end) };
  const page = Number(one("page"));
  return {
    id: one("doc"),
    version: /^\d{1,15}$/.test(one("version")) ? Number(one("version")) : 0,
    mark: mark.end > mark.start ? mark : undefined,
    page: Number.isInteger(page) && page > 0 ? page : 0,
    headings: one("section") === "" ? [] : one("section").split(headingSeparator),
  };
}

/** The address of a route, without what is at its default. */
export function formatRoute(route: Route): string {
  const params = new URLSearchParams();
  const set = (name: string, value: string | undefined) => {
    if (value) params.append(name, value);
  };
  const { options, document } = route;
  set("view", route.view === "search" ? "" : route.view);
  if (route.view === "search" || route.view === "ask") {
    set("q", route.query);
    for (const type of options.mediaTypes) set("type", type);
    for (const [key, value] of options.attributes) set("attr", `${key}:${value}`);
  }
  if (route.view === "search") {
    set("fusion", options.fusion);
    set("words", options.lexicalWeight?.toString());
    set("rerank", options.rerank ? "" : "off");
    set("group", options.groupByDocument ? "document" : "");
  }
  if (route.view === "documents") {
    set("show", route.group === "all" ? "" : route.group);
    set("prefix", route.prefix);
  }
  if (route.view === "chat") set("conversation", route.conversation);
  if (route.view === "chat" || route.view === "agents") set("agent", route.agent);
  if (route.view === "prompts") set("prompt", route.prompt);
  if (route.view === "jobs") set("job", route.job);
  if (document) {
    set("doc", document.id);
    set("version", document.version > 0 ? String(document.version) : "");
    set("mark", document.mark && `${document.mark.start}-${document.mark.end}`);
    set("page", document.page > 0 ? String(document.page) : "");
    set("section", document.headings.join(headingSeparator));
  }
  const search = params.toString();
  return search === "" ? "/" : `/?${search}`;
}
