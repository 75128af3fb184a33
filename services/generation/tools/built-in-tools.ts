import type { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import { createFetchDocumentTool } from "./fetch-document-tool.ts";
import { createSearchTool } from "./search-tool.ts";
import type { ToolSource } from "./tool.ts";

/** Services that built-in tools ask. */
export interface BuiltInToolParts {
  readonly search: RpcClient<SearchServiceDefinition>;
  readonly ingest: RpcClient<IngestServiceDefinition>;
}

/** The tools that come with Headwater. */
export function createBuiltInTools({ search, ingest }: BuiltInToolParts): ToolSource {
  const tools = [createSearchTool(search), createFetchDocumentTool(ingest)];
  return {
    tools: async () => ({ tools, unavailable: [] }),
    close: async () => {},
  };
}
