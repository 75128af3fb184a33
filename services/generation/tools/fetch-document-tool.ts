import { HeadwaterError, status } from "@headwater/errors";
import type { DocumentMetadata, Filter } from "@headwater/proto/services/headwater/v1/common";
import type { IngestServiceDefinition } from "@headwater/proto/services/headwater/v1/ingest";
import type { DeepPartial, Hit } from "@headwater/proto/services/headwater/v1/search";
import { Hit as HitMessage } from "@headwater/proto/services/headwater/v1/search";
import type { RpcClient } from "@headwater/rpc";
import { quote } from "./search-tool.ts";
import type { Tool } from "./tool.ts";

/** Code units that one call brings: about a thousand tokens, of which a model can hold several. */
const usualLength = 4000;
const maxLength = 32_768;

/** Reads on in a document that a search has found; what it reads can be cited. */
export function createFetchDocumentTool(ingest: RpcClient<IngestServiceDefinition>): Tool {
  return {
    name: "fetch_document",
    description:
      "Reads the text of one document from an offset on, as where a passage that was found breaks off too early. The id and the offsets come from search.",
    parameters: {
      type: "object",
      properties: {
        id: { type: "string", minLength: 1, maxLength: 512, description: "Id of the document" },
        start: { type: "integer", minimum: 0, description: "Offset to begin at, 0 where not given" },
        length: {
          type: "integer",
          minimum: 1,
          maximum: maxLength,
          description: `Code units to read, ${usualLength} where not given`,
        },
      },
      required: ["id"],
      additionalProperties: false,
    },
    source: "built-in",
    needsApproval: false,
    untrusted: true,
    async run({ id, start, length }, { tenant, filter, cite, signal }) {
      const from = typeof start === "number" ? start : 0;
      const range = { start: from, end: from + (typeof length === "number" ? length : usualLength) };
      const documentId = String(id);
      const found = await ingest.call.getText({ tenant, id: documentId, range }, { signal }).catch(notThere);
      // What the turn may not find it may not read either.
      if (!found?.metadata || !(filter === undefined || matches(filter, found.metadata))) return unknown;
      const { metadata, text, textLength } = found;
      const read = found.range ?? range;
      if (text === "")
        return { text: `The document ends at ${textLength}; there is nothing at ${from}.`, failed: true };
      const hit: DeepPartial<Hit> = {
        passageId: `${tenant}/${documentId}/${metadata.version}/text/${read.start}-${read.end}`,
        document: metadata,
        location: { range: read },
        text,
      };
      const [number] = cite([HitMessage.fromPartial(hit)]);
      const rest = read.end < textLength ? ` The next part begins at ${read.end}.` : " This is its end.";
      return {
        text: `Source ${number}. Document ${JSON.stringify(documentId)}, offsets ${read.start} to ${read.end} of ${textLength}.${rest}\n${quote(text)}`,
        failed: false,
      };
    },
  };
}

const unknown = { text: "There is no document of that id. Take ids from what search finds.", failed: true };

function notThere(thrown: unknown): undefined {
  const error = HeadwaterError.from(thrown);
  if (error.code === status.NOT_FOUND || error.code === status.INVALID_ARGUMENT) return undefined;
  throw error;
}

/** As proto/headwater/v1/common.proto says. */
function matches(filter: Filter, { id, mediaType, attributes, observedTime }: DocumentMetadata): boolean {
  const { documentIds, mediaTypes, observedFrom, observedBefore } = filter;
  return (
    (documentIds.length === 0 || documentIds.includes(id)) &&
    (mediaTypes.length === 0 || mediaTypes.includes(mediaType)) &&
    filter.attributes.every(({ key, values }) => values.includes(attributes[key] ?? "")) &&
    (observedFrom === undefined || (observedTime !== undefined && observedTime >= observedFrom)) &&
    (observedBefore === undefined || (observedTime !== undefined && observedTime < observedBefore))
  );
}
