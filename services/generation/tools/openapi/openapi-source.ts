import { readFile } from "node:fs/promises";
import { HeadwaterError, status } from "@headwater/errors";
import type { SafeFetch } from "@headwater/safe-fetch";
import { createSafeFetch } from "@headwater/safe-fetch";
import type { ToolListing, ToolSource } from "../tool.ts";
import type { OpenApiSettings } from "../tool-settings.ts";
import { readOperations } from "./openapi-document.ts";
import { createOperationTool } from "./operation-tool.ts";

const userAgent = "Headwater/1";
/** Of a document; the largest that are published have 10 MB. */
const maxDocumentBytes = 16 * 1024 * 1024;
/** Milliseconds until a document that could not be read is read again. */
const retryMs = 30_000;

/** The operations of one HTTP service that its allow list names. */
export function createOpenApiSource(settings: OpenApiSettings): ToolSource {
  const { name, document, baseUrl, allowPrivate } = settings;
  const own = new URL(baseUrl);
  // Calls go to the service alone, wherever it redirects to: its credentials and what it was told stay with it.
  const calls = createSafeFetch({
    userAgent,
    allowHosts: [own.host],
    allowPrivate: allowPrivate ? [plainHost(own)] : [],
  });
  let reading: Promise<ToolListing> | undefined;

  const read = async (): Promise<ToolListing> => {
    const text = await readDocument(document, allowPrivate);
    const { operations, problems } = await readOperations(text, settings.allow);
    return {
      tools: operations.map((operation) => createOperationTool(operation, settings, calls)),
      unavailable: problems.map((problem) => `${name}: ${problem}`),
    };
  };
  return {
    async tools(_tenant, signal): Promise<ToolListing> {
      signal.throwIfAborted();
      reading ??= read().catch((thrown: unknown) => {
        setTimeout(() => {
          reading = undefined;
        }, retryMs).unref();
        return { tools: [], unavailable: [`${name}: ${HeadwaterError.from(thrown).message}`] };
      });
      return await reading;
    },
    close: () => calls.close(),
  };
}

/** @param document a path, or an address */
async function readDocument(document: string, allowPrivate: boolean): Promise<string> {
  if (!/^https?:/.test(document)) return await readDocumentFile(document);
  const http = createSafeFetch({
    userAgent,
    allowPrivate: allowPrivate ? [plainHost(new URL(document))] : [],
  });
  try {
    return await fetchDocument(http, document);
  } finally {
    await http.close();
  }
}

async function readDocumentFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw documentUnavailable("its file cannot be read", cause);
  }
}

async function fetchDocument(http: SafeFetch, url: string): Promise<string> {
  const response = await http.fetch({ url, maxBytes: maxDocumentBytes });
  if (response.status === 200) return new TextDecoder().decode(response.body);
  throw documentUnavailable(`its address answers with HTTP ${response.status}`);
}

function documentUnavailable(why: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_OPENAPI_UNAVAILABLE",
    message: `The OpenAPI document is not there: ${why}.`,
    action: "Check its place in HEADWATER_TOOLS_FILE.",
    cause,
  });
}

/** An IPv6 address in a URL stands in brackets. */
function plainHost({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, "");
}
