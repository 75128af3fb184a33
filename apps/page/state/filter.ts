import type { Filter } from "@headwater/client";
import type { SearchOptions } from "./route.ts";

/** The filter of a search or a question; values of one attribute are joined by OR. */
export function filterOf(options: SearchOptions): Filter | undefined {
  const { mediaTypes, attributes } = options;
  if (mediaTypes.length === 0 && attributes.length === 0) return undefined;
  const byKey: Record<string, string[]> = {};
  for (const [key, value] of attributes) byKey[key] = [...(byKey[key] ?? []), value];
  return {
    ...(mediaTypes.length > 0 ? { mediaTypes } : {}),
    ...(attributes.length > 0 ? { attributes: byKey } : {}),
  };
}

/** Adds what is not there, removes what is. */
export function toggled<Value>(values: readonly Value[], value: Value): Value[] {
  const same = (other: Value) => JSON.stringify(other) === JSON.stringify(value);
  return values.some(same) ? values.filter((other) => !same(other)) : [...values, value];
}
