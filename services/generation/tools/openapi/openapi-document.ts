import { HeadwaterError, status } from "@headwater/errors";
import { dereference, validate } from "@readme/openapi-parser";
import { upgrade } from "@scalar/openapi-upgrader";
import { parse } from "yaml";
import type { Operation, Placement } from "./operation.ts";
import { plainSchema } from "./plain-schema.ts";

const methods = ["get", "head", "put", "post", "patch", "delete", "options"] as const;
/** References to other files and addresses are not followed: a document could read what it should not. */
const inside = { resolve: { external: false } };
/** Code units; models are charged for all of it with each call. */
const maxDescriptionLength = 1024;
/** The headers of a call that are never a parameter of it. */
const ownHeaders = new Set([
  "accept",
  "content-type",
  "authorization",
  "cookie",
  "host",
  "content-length",
  "connection",
]);

/** What is read of a document; all else is not looked at. */
interface RawDocument {
  readonly paths?: Readonly<Record<string, RawPath>>;
}
type RawPath = { readonly parameters?: readonly RawParameter[] } & {
  readonly [Method in (typeof methods)[number]]?: RawOperation;
};
interface RawOperation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly RawParameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content?: Readonly<Record<string, RawMedia>>;
  };
}
interface RawMedia {
  readonly schema?: unknown;
}
interface RawParameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: unknown;
  readonly content?: Readonly<Record<string, RawMedia>>;
  readonly style?: string;
  readonly explode?: boolean;
}

export interface AllowedOperations {
  readonly operations: readonly Operation[];
  /** Entries of the allow list that cannot be called, and why. */
  readonly problems: readonly string[];
}

/**
 * Reads an OpenAPI 3.0 or 3.1 document, and takes what the allow list names.
 *
 * @param allow operation ids, or "GET /path"
 * @throws HeadwaterError FAILED_PRECONDITION, HW_OPENAPI_INVALID
 */
export async function readOperations(text: string, allow: readonly string[]): Promise<AllowedOperations> {
  const { paths = {} } = await readDocument(text);
  const operations: Operation[] = [];
  const problems: string[] = [];
  for (const wanted of allow) {
    const found = find(paths, wanted);
    if (found === undefined) problems.push(`the document has no operation ${wanted}`);
    else {
      const operation = toOperation(found);
      if (typeof operation === "string") problems.push(`${wanted} cannot be called: ${operation}`);
      else operations.push(operation);
    }
  }
  return { operations, problems };
}

async function readDocument(text: string): Promise<RawDocument> {
  const parsed = parseText(text);
  if (!/^3\.[01]\b/.test(String(parsed["openapi"]))) throw documentInvalid("it is not of version 3.0 or 3.1");
  try {
    const result = await validate(structuredClone(parsed) as never, inside);
    if (!result.valid) throw documentInvalid(result.errors[0]?.message ?? "it breaks the specification");
    // 3.0 has a dialect of JSON Schema of its own; models and validators know the one of 3.1.
    return (await dereference(upgrade(parsed, "3.1") as never, inside)) as RawDocument;
  } catch (cause) {
    if (cause instanceof HeadwaterError) throw cause;
    throw documentInvalid(cause instanceof Error ? cause.message : "it cannot be read", cause);
  }
}

function parseText(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = parse(text, { prettyErrors: false });
    if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>;
  } catch (cause) {
    throw documentInvalid("it is neither YAML nor JSON", cause);
  }
  throw documentInvalid("it is no object");
}

interface Found {
  readonly method: string;
  readonly path: string;
  readonly shared: readonly RawParameter[];
  readonly operation: RawOperation;
}

function find(paths: Readonly<Record<string, RawPath>>, wanted: string): Found | undefined {
  for (const [path, item] of Object.entries(paths)) {
    for (const method of methods) {
      const operation = item[method];
      if (operation === undefined) continue;
      if (operation.operationId === wanted || `${method.toUpperCase()} ${path}` === wanted)
        return { method: method.toUpperCase(), path, shared: item.parameters ?? [], operation };
    }
  }
  return undefined;
}

/** A string says why it cannot be called. */
function toOperation({ method, path, shared, operation }: Found): Operation | string {
  const properties: Record<string, unknown> = {};
  const required: string[] = [];
  const placements = new Map<string, Placement>();
  for (const parameter of merged(shared, operation.parameters ?? [])) {
    const placement = placementOf(parameter);
    if (placement === undefined) {
      if (parameter.required)
        return `the parameter ${parameter.name} is a ${parameter.in}, which is not supported`;
      continue;
    }
    const property = freeName(parameter, properties);
    properties[property] = described(parameter);
    placements.set(property, placement);
    if (parameter.required || parameter.in === "path") required.push(property);
  }
  const body = bodyOf(operation);
  if (body === undefined && operation.requestBody?.required) return "its body is not JSON";
  if (body) {
    properties["body"] = body.schema;
    if (operation.requestBody?.required) required.push("body");
  }
  return {
    id: operation.operationId ?? [method.toLowerCase(), ...(path.match(/\w+/g) ?? [])].join("_"),
    method,
    path,
    description: descriptionOf(operation, `${method} ${path}`),
    parameters: { type: "object", properties, required, additionalProperties: false },
    placements,
    bodyMediaType: body?.mediaType,
  };
}

/** An operation's own parameters take the place of those of its path. */
function merged(shared: readonly RawParameter[], own: readonly RawParameter[]): readonly RawParameter[] {
  const same = (a: RawParameter) => own.some((b) => a.name === b.name && a.in === b.in);
  return [...shared.filter((parameter) => !same(parameter)), ...own];
}

function placementOf(parameter: RawParameter): Placement | undefined {
  const { name, in: place, style, explode } = parameter;
  if (place !== "path" && place !== "query" && place !== "header") return undefined;
  if (place === "header" && ownHeaders.has(name.toLowerCase())) return undefined;
  return {
    ...{ in: place, name, deep: style === "deepObject", json: parameter.content !== undefined },
    explode: explode ?? (style === undefined || style === "form"),
  };
}

/** Two parameters may have one name in different places, and none may be taken for the body. */
function freeName({ name, in: place }: RawParameter, taken: Readonly<Record<string, unknown>>): string {
  return Object.hasOwn(taken, name) || name === "body" ? `${name}_in_${place}` : name;
}

function described({ description, schema, content }: RawParameter): unknown {
  const plain = plainSchema(schema ?? Object.values(content ?? {})[0]?.schema ?? {});
  if (description === undefined || typeof plain !== "object") return plain;
  return { ...plain, description: description.slice(0, maxDescriptionLength) };
}

function bodyOf({ requestBody }: RawOperation): { mediaType: string; schema: unknown } | undefined {
  const entry = Object.entries(requestBody?.content ?? {}).find(([mediaType]) =>
    /^application\/([\w.-]+\+)?json\b/.test(mediaType),
  );
  return entry && { mediaType: entry[0], schema: plainSchema(entry[1].schema ?? {}) };
}

function descriptionOf({ summary, description }: RawOperation, fallback: string): string {
  const text = [summary, description].filter(Boolean).join("\n");
  return (text === "" ? fallback : text).slice(0, maxDescriptionLength);
}

function documentInvalid(why: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_OPENAPI_INVALID",
    message: `The OpenAPI document cannot be used: ${why.slice(0, 300)}.`,
    action: "Correct the document, or name another one in HEADWATER_TOOLS_FILE.",
    cause,
  });
}
