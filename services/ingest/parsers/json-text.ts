import { tooComplex } from "./parse-errors.ts";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Deeper than any record that is meant to be read. */
const maxDepth = 200;

const titleKeys = ["title", "headline", "subject", "name"];
/** Fields that hold running text; they come first and need no label. */
const textKeys = ["summary", "abstract", "description", "text", "body", "content", "contents", "message"];

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function titleOf(record: JsonValue): string {
  if (!isObject(record)) return "";
  for (const key of titleKeys) {
    const value = record[key];
    if (typeof value === "string" && value.trim() !== "") return value;
  }
  return "";
}

/** A record as text: title, running text, then the other fields as "path.to.key: value" lines. */
export function renderRecord(record: JsonValue): string {
  if (!isObject(record)) return renderFields(record).join("\n");
  const first = [...titleKeys, ...textKeys].filter((key) => typeof record[key] === "string");
  const lines = first.map((key) => String(record[key]));
  for (const [key, value] of Object.entries(record)) {
    if (!first.includes(key)) lines.push(...renderFields(value, key));
  }
  return lines.filter((line) => line.trim() !== "").join("\n");
}

function renderFields(value: JsonValue, path = "", depth = 0): string[] {
  if (depth > maxDepth) throw tooComplex("its values are nested too deeply");
  if (value === null || value === "") return [];
  if (typeof value !== "object") return [path === "" ? String(value) : `${path}: ${value}`];
  if (Array.isArray(value)) return renderArray(value, path, depth);
  return Object.entries(value).flatMap(([key, child]) => {
    const childPath = path === "" ? key : `${path}.${key}`;
    // Below a few levels the path would outweigh the value.
    return renderFields(child, childPath.length > 200 ? key : childPath, depth + 1);
  });
}

function renderArray(values: readonly JsonValue[], path: string, depth: number): string[] {
  const plain = values.every((value) => typeof value !== "object" || value === null);
  const short = values.every((value) => String(value).length <= 100);
  if (plain && short) {
    const list = values.filter((value) => value !== null && value !== "").join(", ");
    return list === "" ? [] : [path === "" ? list : `${path}: ${list}`];
  }
  return values.flatMap((value) => renderFields(value, path, depth + 1));
}
