import type { DeepPartial, GetReindexResponse } from "@headwater/proto/services/headwater/v1/ingest";
import type { GenerationLedger } from "../catalog/generation-ledger.ts";
import { fingerprintText } from "../pipeline/fingerprint.ts";
import type { PipelineSupervisor } from "../pipeline/pipeline-supervisor.ts";
import type { Stores } from "../stores.ts";

/** What there is to say of a reindex, whether one runs or not. */
export async function reindexStatus(
  ledger: GenerationLedger,
  { indexes }: Stores,
  supervisor: PipelineSupervisor,
): Promise<DeepPartial<GetReindexResponse>> {
  const [state, changed, generations] = await Promise.all([
    ledger.read(),
    ledger.countChanges(),
    indexes.generations(),
  ]);
  const { fingerprint } = supervisor;
  return {
    ...{ state: state.state, running: state.running, changed },
    ...{ done: state.done, total: Math.max(state.total, state.done), failed: state.failed },
    ...(state.other === null ? {} : { startedTime: new Date(state.startedAt) }),
    generations: await Promise.all(
      generations.map(async ({ generation, fingerprint: madeWith, active }) => ({
        name: generation,
        serves: active,
        passages: (await (await indexes.open(generation))?.count()) ?? 0,
        fingerprint: fingerprintText(madeWith),
      })),
    ),
    fingerprint: fingerprint ? fingerprintText(fingerprint) : "",
  };
}
