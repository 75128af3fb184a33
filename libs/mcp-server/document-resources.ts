import { HeadwaterClientError } from "@headwater/client";
import type { McpServer } from "@modelcontextprotocol/server";
import { ProtocolError, ProtocolErrorCode, ResourceTemplate } from "@modelcontextprotocol/server";
import { callOptions } from "./call.ts";
import type { McpServerOptions } from "./mcp-server.ts";

const prefix = "headwater://documents/";
/** Of the list; all others can be read by their address, and found by the tools. */
const maxListed = 100;

/** Documents as resources, for assistants that attach them to a conversation: headwater://documents/{id}, the id percent-encoded. */
export function addDocumentResources(server: McpServer, options: McpServerOptions): void {
  const { documents } = options.client;
  const template = new ResourceTemplate(`${prefix}{id}`, {
    list: async (context) => {
      const call = { ...callOptions(options, context), pageSize: maxListed, states: ["indexed"] as const };
      const page = await documents.list(call);
      return {
        resources: page.documents.map(({ id, title, mediaType }) => ({
          uri: prefix + encodeURIComponent(id),
          name: id,
          title: title || id,
          description: `Text of a document (${mediaType})`,
          mimeType: "text/plain",
        })),
      };
    },
  });
  server.registerResource(
    "document",
    template,
    { title: "A document's text", description: "Extracted text of a document", mimeType: "text/plain" },
    async (uri, _variables, context) => {
      try {
        // The text is cut where one message ends; fetch_document reads on.
        const { text } = await documents.text(documentId(uri), callOptions(options, context));
        return { contents: [{ uri: uri.href, mimeType: "text/plain", text }] };
      } catch (thrown) {
        const { message, action } = HeadwaterClientError.from(thrown);
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `${message} ${action}`.trim());
      }
    },
  );
}

function documentId(uri: URL): string {
  try {
    return decodeURIComponent(uri.href.slice(prefix.length));
  } catch {
    throw new ProtocolError(
      ProtocolErrorCode.InvalidParams,
      "The address of the document is not percent-encoded.",
    );
  }
}
