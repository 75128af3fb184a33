import type { z } from "zod";

/** Schemas with a name of their own in the OpenAPI document. */
export const namedSchemas = new Map<string, z.ZodType>();

export function named<Schema extends z.ZodType>(id: string, schema: Schema): Schema {
  const withId = schema.meta({ id });
  namedSchemas.set(id, withId);
  return withId;
}
