/** Deeper than this no model needs to know what a value may be. */
const maxDepth = 12;
/** What models make nothing of, or what is no JSON Schema but OpenAPI's own. */
const leftOut = new Set(["xml", "externalDocs", "discriminator", "example", "examples", "deprecated"]);

/**
 * A schema of a dereferenced document as JSON without cycles: where a schema contains itself, and where a reference led out
 * of the document, anything is allowed.
 */
export function plainSchema(schema: unknown, above: readonly unknown[] = []): unknown {
  if (typeof schema !== "object" || schema === null) return schema;
  if (above.includes(schema) || above.length > maxDepth || "$ref" in schema) return {};
  const path = [...above, schema];
  if (Array.isArray(schema)) return schema.map((entry) => plainSchema(entry, path));
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key]) => !leftOut.has(key) && !key.startsWith("x-"))
      .map(([key, value]) => [key, plainSchema(value, path)]),
  );
}
