import type { Hit, SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import { findPassages } from "../answer/passages.ts";
import type { Tool } from "./tool.ts";

const maxQueryLength = 2048;

/** Searches the tenant's documents; what it finds can be cited from then on. */
export function createSearchTool(search: RpcClient<SearchServiceDefinition>): Tool {
  return {
    name: "search",
    description:
      "Searches the documents for passages by meaning and by words. Each passage comes with the number by which it is cited, and with the id of its document. Search again with other words where the passages do not tell what is asked.",
    parameters: {
      type: "object",
      properties: {
        query: {
          type: "string",
          minLength: 1,
          maxLength: maxQueryLength,
          description: "What to look for: a question or a few words, in the language of the documents",
        },
        limit: { type: "integer", minimum: 1, maximum: 50, description: "Most passages to find" },
      },
      required: ["query"],
      additionalProperties: false,
    },
    source: "built-in",
    needsApproval: false,
    untrusted: true,
    async run({ query, limit }, context) {
      const { tenant, filter, maxPassages, signal } = context;
      const { hits } = await findPassages(
        search,
        {
          tenant,
          question: String(query),
          filter,
          maxPassages: Math.min(typeof limit === "number" ? limit : maxPassages, maxPassages),
        },
        signal,
      );
      if (hits.length === 0) return { text: "No passages were found. Try other words.", failed: false };
      const numbers = context.cite(hits);
      const text = hits.map((hit, index) => layOut(hit, numbers[index] ?? 0)).join("\n\n");
      return { text, failed: false };
    },
  };
}

/** The document's own lines are marked, so that none of them can pass for the head of another source. */
function layOut({ document, location, text }: Hit, number: number): string {
  const title = document?.title || document?.uri || "";
  const { start = 0, end = 0 } = location?.range ?? {};
  const heading = location?.headingPath.join(" > ") ?? "";
  return [
    `Source ${number}. Document ${JSON.stringify(document?.id ?? "")}, offsets ${start} to ${end}.`,
    ...[title, heading].filter((line) => line !== "").map(quote),
    quote(text.trim()),
  ].join("\n");
}

/** Marks what a document says, line by line. */
export function quote(text: string): string {
  return text.replace(/^/gm, "| ");
}
