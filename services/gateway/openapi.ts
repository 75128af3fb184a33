import type { FastifySchema, RouteOptions } from "fastify";
import { z } from "zod";
import { errorSchema } from "./schemas/error.ts";
import { namedSchemas } from "./schemas/registry.ts";

type Json = Record<string, unknown>;

/** In the order in which a reader meets them. */
const tags = [
  ...["documents", "search", "answers", "chat", "conversations", "agents", "prompts", "feedback"],
  ...["memories", "jobs", "openai", "pipeline", "upkeep", "operation"],
];

/**
 * The OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1), made of the schemas that the routes validate with,
 * so that it cannot say anything else than they do. Routes without a summary are left out: the page, and Connect's,
 * whose contract is proto/.
 */
export function openApiDocument(routes: readonly RouteOptions[]): Json {
  const paths: Record<string, Json> = {};
  for (const { url, method, schema } of routes) {
    if (!schema?.summary) continue;
    const path = url.replace(/:([A-Za-z_]+)/g, "{$1}");
    paths[path] ??= {};
    for (const name of [method].flat()) paths[path][name.toLowerCase()] = operation(name, path, schema);
  }
  const schemas = Object.fromEntries(
    [...namedSchemas].map(([id, schema]) => [id, definitionOf(id, schema)] as const),
  );
  return {
    openapi: "3.1.1",
    info: {
      title: "Headwater",
      version: "1",
      description:
        "Documents flow in, cited answers flow out. The same port answers gRPC, gRPC-Web and Connect (see proto/) " +
        "and WebSockets (see GET /v1/ws). Errors of every route have the form of Error; while too much is under " +
        "way they are 503, beyond a caller's rate limit 429, both with Retry-After.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{}, { apiKey: [] }],
    tags: tags.map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        apiKey: {
          type: "http",
          scheme: "bearer",
          description: "Where the operator has set API keys; the tenant follows from the key",
        },
      },
      schemas,
    },
  };
}

function operation(method: string, path: string, schema: FastifySchema): Json {
  const body = requestBody(schema);
  return {
    operationId: `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: schema.summary,
    ...(schema.description === undefined ? {} : { description: schema.description }),
    tags: schema.tags ?? [],
    parameters: [...parameters("path", schema.params), ...parameters("query", schema.querystring)],
    ...(body ? { requestBody: body } : {}),
    responses: responses(schema),
  };
}

function parameters(place: "path" | "query", schema: unknown): Json[] {
  if (!(schema instanceof z.ZodObject)) return [];
  // What a route sees of a parameter is what its text becomes.
  const { properties, required } = convert(schema, "output") as {
    properties: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === "path" || (required ?? []).includes(name),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  }));
}

function requestBody(schema: FastifySchema): Json | undefined {
  const content: Record<string, Json> = {};
  if (schema.body instanceof z.ZodType) content["application/json"] = { schema: convert(schema.body) };
  for (const [mediaType, { description, schema: form }] of Object.entries(schema.consumes ?? {}))
    content[mediaType] = { schema: { ...(form ? convert(form) : {}), description } };
  return Object.keys(content).length === 0 ? undefined : { required: true, content };
}

function responses(schema: FastifySchema): Json {
  const found: Record<string, { description: string; content: Record<string, Json> }> = {};
  for (const [code, response] of Object.entries((schema.response ?? {}) as Record<string, unknown>)) {
    if (!(response instanceof z.ZodType)) continue;
    const description = response.description ?? (code.startsWith("2") ? "Done" : "Not ready");
    const hasBody = !(response instanceof z.ZodNull);
    const content = hasBody ? { "application/json": { schema: convert(response) } } : {};
    found[code] = { description, content };
  }
  for (const [mediaType, { description, schema: form }] of Object.entries(schema.produces ?? {})) {
    found["200"] ??= { description, content: {} };
    // A stream's schema is that of one of its messages; what the others are stands in the description.
    found["200"].content[mediaType] = { schema: { ...(form ? convert(form) : {}), description } };
  }
  const failure = { "application/json": { schema: convert(schema.failure ?? errorSchema) } };
  return { ...found, default: { description: "What went wrong, and what to do", content: failure } };
}

function convert(schema: z.ZodType, io: "input" | "output" = "input"): Json {
  const { $schema: _, $defs: __, ...json } = z.toJSONSchema(schema, { io }) as Json;
  return relink(json) as Json;
}

function definitionOf(id: string, schema: z.ZodType): Json {
  const json = z.toJSONSchema(schema, { io: "input" }) as { $defs?: Record<string, Json> } & Json;
  const own = json.$defs?.[id] ?? json;
  const { $schema: _, $defs: __, id: ___, ...rest } = own;
  return relink(rest) as Json;
}

/** Points references at the document's own components. */
function relink(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relink);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === "$ref" && typeof inner === "string"
        ? [key, inner.replace("#/$defs/", "#/components/schemas/")]
        : [key, relink(inner)],
    ),
  );
}
