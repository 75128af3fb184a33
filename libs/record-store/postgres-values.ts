import type { CustomTypesConfig } from "pg";
import { types } from "pg";
import type { RecordValue } from "./record-store.ts";

type Parse = (text: string) => unknown;

/** Type numbers of PostgreSQL (pg_type.dat) whose values pg would give otherwise than the embedded adapter does. */
const oid = {
  ...{ int8: 20, int8Array: 1016, timestamp: 1114, timestampArray: 1115, date: 1082, dateArray: 1182 },
  ...{ point: 600, pointArray: 1017, circle: 718, interval: 1186, intervalArray: 1187, numericArray: 1231 },
  ...{ textArray: 1009, timestamptz: 1184 },
};

const asText: Parse = (text) => text;
const asTexts: Parse = types.getTypeParser(oid.textArray);
const timestamptz: Parse = types.getTypeParser(oid.timestamptz);
/** pg takes the local zone of the process, which differs from machine to machine. */
const utc =
  (suffix: string): Parse =>
  (text) =>
    timestamptz(text.endsWith("infinity") ? text : text + suffix);

const parsers = new Map<number, Parse>([
  [oid.int8, Number],
  [oid.int8Array, eachOf(Number)],
  [oid.timestamp, utc("+00")],
  [oid.timestampArray, eachOf(utc("+00"))],
  [oid.date, utc(" 00:00:00+00")],
  [oid.dateArray, eachOf(utc(" 00:00:00+00"))],
  [oid.numericArray, asTexts],
  [oid.intervalArray, asTexts],
  [oid.pointArray, asTexts],
  ...[oid.interval, oid.point, oid.circle].map((number) => [number, asText] as const),
]);

/** How columns are read: as the embedded adapter gives them. */
export const postgresTypes: CustomTypesConfig = {
  getTypeParser: (number: number, format?: "text" | "binary") =>
    (format !== "binary" && parsers.get(number)) || types.getTypeParser(number, format as "text"),
};

/** A parameter as pg sends it: dates in UTC, which pg writes in the zone of the process. */
export function toParameter(value: RecordValue): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toParameter);
  return value;
}

function eachOf(parse: Parse): Parse {
  return (text) =>
    (asTexts(text) as (string | null)[]).map((element) => (element === null ? null : parse(element)));
}
