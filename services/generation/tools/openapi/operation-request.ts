import { invalidArgument } from "@headwater/errors";
import type { Operation, Placement } from "./operation.ts";

export interface OperationRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

type Input = Readonly<Record<string, unknown>>;

/**
 * The HTTP request of a call, as the document says how its values travel.
 *
 * @throws HeadwaterError INVALID_ARGUMENT, HW_TOOL_INPUT_INVALID for a value that would lead to another path
 */
export function operationRequest(operation: Operation, baseUrl: string, input: Input): OperationRequest {
  let { path } = operation;
  const query = new URLSearchParams();
  const headers: Record<string, string> = { accept: "application/json, text/*;q=0.9, */*;q=0.1" };
  for (const [property, placement] of operation.placements) {
    const value = input[property];
    if (value === undefined || value === null) continue;
    if (placement.in === "path") path = path.replaceAll(`{${placement.name}}`, pathSegment(placement, value));
    else if (placement.in === "query") addToQuery(query, placement, value);
    else headers[placement.name.toLowerCase()] = headerValue(plain(placement, value));
  }
  const url = new URL(baseUrl.replace(/\/+$/, "") + path);
  for (const [key, value] of query) url.searchParams.append(key, value);
  const { body } = input;
  if (operation.bodyMediaType === undefined || body === undefined)
    return { url: url.href, method: operation.method, headers, body: undefined };
  headers["content-type"] = operation.bodyMediaType;
  return { url: url.href, method: operation.method, headers, body: JSON.stringify(body) };
}

function pathSegment(placement: Placement, value: unknown): string {
  const text = encodeURIComponent(plain(placement, value));
  // A dot stays a dot when it is encoded, and URLs resolve it: the call would go to another operation.
  if (text === "" || text === "." || text === "..") {
    throw invalidArgument(
      "HW_TOOL_INPUT_INVALID",
      `${placement.name} may not be "${text}".`,
      "Give another value.",
    );
  }
  return text;
}

function addToQuery(query: URLSearchParams, placement: Placement, value: unknown): void {
  const { name, explode, deep, json } = placement;
  if (!json && Array.isArray(value) && explode) for (const entry of value) query.append(name, scalar(entry));
  else if (!json && isObject(value) && deep)
    for (const [key, entry] of Object.entries(value)) query.append(`${name}[${key}]`, scalar(entry));
  else if (!json && isObject(value) && explode)
    for (const [key, entry] of Object.entries(value)) query.append(key, scalar(entry));
  else query.append(name, plain(placement, value));
}

function plain({ json }: Placement, value: unknown): string {
  if (json) return JSON.stringify(value);
  if (Array.isArray(value)) return value.map(scalar).join(",");
  if (isObject(value))
    return Object.entries(value)
      .flatMap(([key, entry]) => [key, scalar(entry)])
      .join(",");
  return scalar(value);
}

function scalar(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Line breaks would begin another header. */
function headerValue(text: string): string {
  return text.replaceAll(/[^\x20-\x7e\xa0-\xff]+/g, " ");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
