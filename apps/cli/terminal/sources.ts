import type { CitationEvent } from "@headwater/client";
import type { Output } from "./output.ts";
import { bold, dim } from "./output.ts";

/** What an answer cites, by source, with the words of the documents. */
export function printSources(output: Output, citations: readonly CitationEvent[]): void {
  for (const [source, of] of Map.groupBy(citations, (citation) => citation.source)) {
    const [first] = of;
    if (!first) continue;
    const page = first.page > 0 ? `, p. ${first.page}` : "";
    output.line(`\n${bold(`[${source}]`)} ${first.document.title || first.document.id}${dim(page)}`);
    for (const { quote } of of) output.line(dim(`    “${quote.replaceAll(/\s+/g, " ").trim()}”`));
  }
}
