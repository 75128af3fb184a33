import type { Schemas } from "@qdrant/js-client-rest";
import { attributeLabel } from "./document-key.ts";
import type { DocumentRevision } from "./engine.ts";
import type { PassageFilter } from "./passage-index.ts";

type Filter = Schemas["Filter"];
type Condition = Schemas["Condition"];

/** The filter as Qdrant evaluates it inside the search. */
export function toFilter(filter: PassageFilter, visibleOnly: boolean): Filter {
  const { attributes = [], mediaTypes, documentIds, observedFrom, observedBefore } = filter;
  const must: Condition[] = [is("tenant", filter.tenant)];
  if (visibleOnly) must.push(is("visible", true));
  for (const { key, values } of attributes)
    if (values.length > 0)
      must.push(
        isOneOf(
          "attributes",
          values.map((value) => attributeLabel(key, value)),
        ),
      );
  if (mediaTypes?.length)
    must.push(
      isOneOf(
        "mediaType",
        mediaTypes.map((type) => type.toWellFormed()),
      ),
    );
  if (documentIds?.length) must.push(isOneOf("documentId", documentIds));
  // Times are whole numbers: a bound of x.5 lets the same ones through as one of x + 1.
  const range = {
    ...(observedFrom !== undefined && { gte: Math.ceil(observedFrom) }),
    ...(observedBefore !== undefined && { lt: Math.ceil(observedBefore) }),
  };
  if (Object.keys(range).length > 0) must.push({ key: "observedAt", range });
  return { must };
}

/** Points of a tenant, or of these documents of it. */
export function ofTenant(tenant: string, documentIds?: readonly string[]): Filter {
  return { must: [is("tenant", tenant), ...(documentIds ? [isOneOf("documentId", documentIds)] : [])] };
}

/** Points of exactly these revisions; the list is not empty. */
export function ofRevisions(revisions: readonly DocumentRevision[]): Filter {
  return anyOf(revisions, (revision) => is("revision", revision));
}

/** Points of all revisions of these documents below the one given; the list is not empty. */
export function belowRevisions(documents: readonly DocumentRevision[]): Filter {
  return anyOf(documents, (revision) => ({ key: "revision", range: { lt: revision } }));
}

/** Documents of one tenant and revision share a clause: those that were written together have the same one. */
function anyOf(documents: readonly DocumentRevision[], condition: (revision: number) => Condition): Filter {
  const groups = Map.groupBy(documents, ({ tenant, revision }) => `${revision}/${tenant}`);
  const should = [...groups.values()].map((group) => {
    const { tenant, revision } = group[0] as DocumentRevision;
    const ids = group.map(({ documentId }) => documentId);
    return { must: [is("tenant", tenant), isOneOf("documentId", ids), condition(revision)] };
  });
  return { should };
}

function is(key: string, value: string | number | boolean): Condition {
  return { key, match: { value } };
}

function isOneOf(key: string, values: readonly string[]): Condition {
  return { key, match: { any: [...new Set(values)] } };
}
