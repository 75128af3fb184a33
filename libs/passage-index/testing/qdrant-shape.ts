import { invalid, malformed } from "./qdrant-fault.ts";

/** Checks a value of a request; throws QdrantFault. `path` is where the value stands, for people. */
export type Shape = (value: unknown, path: string) => void;

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const string: Shape = (value, path) => {
  if (typeof value !== "string") throw expected("a string", value, path);
};

export const boolean: Shape = (value, path) => {
  if (typeof value !== "boolean") throw expected("a boolean", value, path);
};

export const anyObject: Shape = (value, path) => {
  if (!isObject(value)) throw expected("a map", value, path);
};

export const pointId: Shape = (value, path) => {
  if (typeof value === "string" ? uuid.test(value) : Number.isInteger(value) && Number(value) >= 0) return;
  throw malformed(
    `${path}: value ${JSON.stringify(value)} is not a valid point ID, valid values are either an unsigned integer or a UUID`,
  );
};

export function number(min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY): Shape {
  return (value, path) => {
    if (typeof value !== "number") throw expected("a number", value, path);
    if (value < min || value > max)
      throw invalid(path, `value ${value} invalid, must be from ${min} to ${max}`);
  };
}

export function integer(min = 0, max = Number.POSITIVE_INFINITY): Shape {
  return (value, path) => {
    if (!Number.isInteger(value)) throw expected("an integer", value, path);
    number(min, max)(value, path);
  };
}

export function literal(...allowed: readonly unknown[]): Shape {
  return (value, path) => {
    if (!allowed.includes(value)) throw expected(`one of ${JSON.stringify(allowed)}`, value, path);
  };
}

export function listOf(item: Shape): Shape {
  return (value, path) => {
    if (!Array.isArray(value)) throw expected("a sequence", value, path);
    for (let at = 0; at < value.length; at += 1) item(value[at], `${path}[${at}]`);
  };
}

/** An object with these fields and no other: stricter than the server, which passes over most unknown ones. */
export function object(
  required: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
) {
  return (value: unknown, path: string): void => {
    if (!isObject(value)) throw expected("a map", value, path);
    for (const field of Object.keys(required))
      if (value[field] === undefined) throw malformed(`${path}: missing field \`${field}\``);
    for (const [field, entry] of Object.entries(value)) {
      const shape = required[field] ?? optional[field];
      if (!shape) throw malformed(`${path}: unknown field \`${field}\``);
      shape(entry, `${path}.${field}`);
    }
  };
}

/** Chosen by what is there, so that the fault names the field in question and not all of the choices. */
export function choose(choice: (value: unknown) => Shape | undefined): Shape {
  return (value, path) => {
    const shape = choice(value);
    if (!shape) throw malformed(`${path}: data did not match any variant of untagged enum`);
    shape(value, path);
  };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expected(what: string, value: unknown, path: string) {
  return malformed(`${path}: invalid type: ${JSON.stringify(value)?.slice(0, 60)}, expected ${what}`);
}
