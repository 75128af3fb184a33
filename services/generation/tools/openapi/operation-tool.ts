import type { FetchedResponse, SafeFetch } from "@headwater/safe-fetch";
import { createRedactor } from "../redaction.ts";
import type { Tool, ToolOutcome } from "../tool.ts";
import { toolName } from "../tool-name.ts";
import type { OpenApiSettings } from "../tool-settings.ts";
import type { Operation } from "./operation.ts";
import { operationRequest } from "./operation-request.ts";

const readingMethods = ["GET", "HEAD"];

export function createOperationTool(operation: Operation, settings: OpenApiSettings, http: SafeFetch): Tool {
  const { name, baseUrl, headers, needsApproval, timeoutMs, maxResponseBytes } = settings;
  const redact = createRedactor(headers.secrets);
  return {
    name: toolName(name, operation.id),
    description: operation.description,
    parameters: operation.parameters,
    source: `openapi:${name}`,
    needsApproval: needsApproval ?? !readingMethods.includes(operation.method),
    untrusted: true,
    async run(input, { signal }): Promise<ToolOutcome> {
      const request = operationRequest(operation, baseUrl, input);
      const response = await http.fetch({
        ...request,
        // The settings' own stand last: no call can put another in the place of a credential.
        headers: { ...request.headers, ...lowerCase(headers.values) },
        ...{ signal, timeoutMs, maxBytes: maxResponseBytes },
      });
      const ok = response.status >= 200 && response.status < 300;
      const text = redact(textOf(response));
      if (ok) return { text: text === "" ? `HTTP ${response.status}, no content.` : text, failed: false };
      return { text: `HTTP ${response.status}${text === "" ? "" : `: ${text}`}`, failed: true };
    },
  };
}

function textOf({ headers, body }: FetchedResponse): string {
  if (body.byteLength === 0) return "";
  const mediaType = headers.get("content-type") ?? "text/plain";
  if (!/^(text\/|application\/([\w.-]+\+)?(json|xml|yaml|x-ndjson))/i.test(mediaType))
    return `(${mediaType}, ${body.byteLength} bytes: not shown)`;
  return new TextDecoder(charsetOf(mediaType)).decode(body);
}

function charsetOf(mediaType: string): string {
  const charset = /charset="?([\w-]+)/i.exec(mediaType)?.[1]?.toLowerCase() ?? "utf-8";
  return ["iso-8859-1", "latin1", "windows-1252"].includes(charset) ? "windows-1252" : "utf-8";
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([key, value]) => [key.toLowerCase(), value]));
}
