import type { HitsEvent, SearchSummary } from "@headwater/client";
import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { callOptions, tellProgress, toolResult } from "./call.ts";
import type { McpServerOptions } from "./mcp-server.ts";
import { filterSchema, passageOf, passageSchema, placeOf, readOnly, toFilter } from "./schemas.ts";

const inputSchema = z.object({
  query: z.string().min(1).max(8192).describe("Words or a question; quotes and operators have no meaning"),
  limit: z.int().min(1).max(50).default(8).describe("Passages"),
  filter: filterSchema.optional(),
});

const outputSchema = z.object({
  passages: z.array(passageSchema).describe("Best first"),
  notes: z.array(z.string()).describe("What the search had to do without"),
});

export function addSearchTool(server: McpServer, options: McpServerOptions): void {
  server.registerTool(
    "search",
    {
      title: "Search the documents",
      description:
        "Finds the passages of the user's documents that fit a query best, by words and by meaning. Use it to read what the " +
        "documents say, or to find which document to fetch. Nothing found means that the documents do not tell.",
      inputSchema,
      outputSchema,
      annotations: readOnly,
    },
    (input, context) =>
      toolResult(async () => {
        const filter = toFilter(input.filter);
        let last: HitsEvent | undefined;
        let summary: SearchSummary | undefined;
        let step = 0;
        for await (const event of options.client.search(input.query, {
          ...callOptions(options, context),
          pageSize: input.limit,
          ...(filter ? { filter } : {}),
        })) {
          if (event.type === "hits") {
            last = event;
            await tellProgress(context, ++step, `${event.hits.length} passages (${event.stage})`);
          } else summary = event;
        }
        return {
          passages: (last?.hits ?? []).map(passageOf),
          notes: (summary?.degradations ?? []).map(({ message }) => message),
        };
      }, asText),
  );
}

function asText({ passages, notes }: z.output<typeof outputSchema>): string {
  const found = passages.map(
    (passage, index) => `[${index + 1}] ${placeOf(passage)} (id ${passage.document_id})\n${passage.text}`,
  );
  return [...(found.length === 0 ? ["Nothing was found."] : found), ...notes].join("\n\n");
}
