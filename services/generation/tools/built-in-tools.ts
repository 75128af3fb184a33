import type { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import { createCalculator } from "./calculator/calculator.ts";
import { createFetchDocumentTool } from "./fetch-document-tool.ts";
import { createSearchTool } from "./search-tool.ts";
import { createTextTool } from "./text-tool.ts";
import { createTimeTool } from "./time-tool.ts";
import type { Tool, ToolSource } from "./tool.ts";

/** Services that built-in tools ask. */
export interface BuiltInToolParts {
  readonly search: RpcClient<SearchServiceDefinition>;
  readonly ingest: RpcClient<IngestServiceDefinition>;
}

/** The tools that come with Headwater. */
export function createBuiltInTools({ search, ingest }: BuiltInToolParts): readonly ToolSource[] {
  return [
    sourceOf([createSearchTool(search), createFetchDocumentTool(ingest), createTimeTool(), createTextTool()]),
    createCalculator(),
  ];
}

/** A source of tools that need nothing to be opened or closed. */
function sourceOf(tools: readonly Tool[]): ToolSource {
  return {
    tools: async () => ({ tools, unavailable: [] }),
    close: async () => {},
  };
}
