import type { CitationEvent, EndEvent } from "@headwater/client";
import { endReasons } from "@headwater/client";
import type { McpServer } from "@modelcontextprotocol/server";
import { z } from "zod";
import { callOptions, tellProgress, toolResult } from "./call.ts";
import type { McpServerOptions } from "./mcp-server.ts";
import { documentFields, documentOf, filterSchema, readOnly, toFilter } from "./schemas.ts";

const inputSchema = z.object({
  question: z.string().min(1).max(8192).describe("A whole question that can be understood by itself"),
  model: z.string().max(256).optional().describe("Language model of Headwater; its default where not given"),
  max_passages: z.int().min(1).max(50).optional().describe("Passages that the answer may rest on"),
  filter: filterSchema.optional(),
});

const citationSchema = z.object({
  source: z.int().describe("The n of [n] in the answer"),
  ...documentFields,
  page: z.int().describe("From 1; 0: the format has no pages"),
  quote: z.string().describe("The evidence as it stands in the document"),
});

const outputSchema = z.object({
  answer: z.string().describe("Cites its sources as [n]"),
  supported: z.boolean().describe("False: the documents do not answer the question"),
  citations: z.array(citationSchema),
  end: z.enum(endReasons).describe("Why the answer ends"),
  model: z.string(),
});

type Answer = z.output<typeof outputSchema>;

export function addAskTool(server: McpServer, options: McpServerOptions): void {
  server.registerTool(
    "ask",
    {
      title: "Ask the documents",
      description:
        "Answers a question from the user's documents alone, with the quotes that support each claim. Where the documents do not " +
        "answer it, it says so instead of guessing: tell the user, or search with other words.",
      inputSchema,
      outputSchema,
      annotations: readOnly,
    },
    (input, context) =>
      toolResult(async () => {
        const filter = toFilter(input.filter);
        // An answer takes as long as its model does.
        const { timeoutMs: _, ...call } = callOptions(options, context);
        const events = options.client.answer(input.question, {
          ...call,
          ...(input.model === undefined ? {} : { model: input.model }),
          ...(input.max_passages === undefined ? {} : { maxPassages: input.max_passages }),
          ...(filter ? { filter } : {}),
        });
        let text = "";
        const citations: CitationEvent[] = [];
        let end: EndEvent | undefined;
        let step = 0;
        for await (const event of events) {
          if (event.type === "passages")
            await tellProgress(context, ++step, `${event.hits.length} passages found`);
          else if (event.type === "text") {
            text += event.text;
            await tellProgress(context, ++step, event.text);
          } else if (event.type === "citation") citations.push(event);
          else if (event.type === "end") end = event;
        }
        if (!end) throw new TypeError("an answer ended without its end");
        return {
          answer: withMarkers(text, citations),
          supported: end.reason !== "no_support",
          citations: citations.map(citationOf),
          end: end.reason,
          model: end.model,
        };
      }, asText),
  );
}

/** The answer with [n] behind each claim; the citations themselves only tell where a claim stands. */
function withMarkers(text: string, citations: readonly CitationEvent[]): string {
  const byEnd = Map.groupBy(citations, ({ claim }) => claim.end);
  let marked = text;
  for (const [end, of] of [...byEnd].sort(([a], [b]) => b - a)) {
    const markers = [...new Set(of.map(({ source }) => source))].sort((a, b) => a - b);
    marked = `${marked.slice(0, end)} ${markers.map((n) => `[${n}]`).join("")}${marked.slice(end)}`;
  }
  return marked;
}

function citationOf({ source, document, page, quote }: CitationEvent): z.output<typeof citationSchema> {
  return { source, ...documentOf(document), page, quote };
}

function asText({ answer, citations }: Answer): string {
  const sources = [...Map.groupBy(citations, ({ source }) => source)].map(([source, of]) => {
    const [first] = of;
    return `[${source}] ${first?.title} (id ${first?.document_id})\n${of.map(({ quote }) => `  “${quote}”`).join("\n")}`;
  });
  return [answer, ...sources].join("\n\n");
}
