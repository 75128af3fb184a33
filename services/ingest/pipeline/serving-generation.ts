import type { PassageIndex, PassageIndexStore } from "@headwater/passage-index";
import type { GenerationLedger } from "../catalog/generation-ledger.ts";
import type { ProcessingTools } from "./processing-tools.ts";

/**
 * The generation that serves, made where there is none. The ledger decides: where the indexes have another one, a
 * process died in the middle of a switch, which is taken back. Where the ledger's is not there, such as after a
 * restore of the indexes alone, the indexes decide.
 */
export function servingGeneration(
  ledger: GenerationLedger,
  indexes: PassageIndexStore,
  tools: ProcessingTools,
): Promise<PassageIndex> {
  return ledger.serve(async (recorded) => {
    const active = await indexes.active();
    if (active && (recorded === null || active.generation === recorded)) return active;
    const index = recorded === null ? undefined : await indexes.open(recorded);
    if (!index && active) return active;
    const serving = index ?? (await indexes.create(tools.fingerprint, tools.model.dimensions));
    await indexes.activate(serving);
    return serving;
  });
}
