import { attributeLabel, documentKey } from "./document-key.ts";
import type { DocumentKey, PassageFilter } from "./passage-index.ts";

/** The filter as a condition of DataFusion's SQL, which LanceDB evaluates with its scalar indexes before it searches. */
export function toSql(filter: PassageFilter): string {
  const conditions = [`tenant = ${quote(filter.tenant)}`];
  for (const { key, values } of filter.attributes ?? []) {
    if (values.length === 0) continue;
    const labels = values.map((value) => quote(attributeLabel(key, value)));
    conditions.push(`array_has_any(attributes, [${labels.join(", ")}])`);
  }
  if (filter.mediaTypes?.length) conditions.push(isIn("media_type", filter.mediaTypes));
  if (filter.documentIds?.length) {
    const keys = filter.documentIds.map((documentId) => documentKey({ tenant: filter.tenant, documentId }));
    conditions.push(isIn("document_key", keys));
  }
  if (filter.observedFrom !== undefined) conditions.push(`observed_at >= ${integer(filter.observedFrom)}`);
  if (filter.observedBefore !== undefined) conditions.push(`observed_at < ${integer(filter.observedBefore)}`);
  return conditions.join(" AND ");
}

/** True for rows of these documents; `documents` is not empty. */
export function isOneOf(documents: readonly DocumentKey[]): string {
  return isIn("document_key", documents.map(documentKey));
}

export function isTenant(tenant: string): string {
  return `tenant = ${quote(tenant)}`;
}

function isIn(column: string, values: readonly string[]): string {
  return `${column} IN (${values.map(quote).join(", ")})`;
}

/** A string literal. DataFusion knows no other escape than the doubled quote. */
function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** Unix milliseconds may come as a fraction; a bound of x.5 lets the same whole numbers through as one of x + 1. */
function integer(value: number): string {
  return BigInt(Math.ceil(value)).toString();
}
