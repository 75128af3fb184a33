import type { Model } from "@headwater/client";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { DeadLetterList } from "../components/dead-letter-list.tsx";
import { FaultNote } from "../components/fault-note.tsx";
import { FlowDiagram } from "../components/flow-diagram.tsx";
import { PartitionList } from "../components/partition-list.tsx";
import { ReindexBox } from "../components/reindex-box.tsx";
import { ThroughputChart } from "../components/throughput-chart.tsx";
import type { Fault } from "../state/fault.ts";
import { faultOf } from "../state/fault.ts";
import { count } from "../state/format.ts";
import { pipeline } from "../state/pipeline.ts";
import { server } from "../state/server.ts";

export function PipelineView() {
  const now = pipeline.value;
  return (
    <>
      <h1>Pipeline</h1>
      {now ? (
        <>
          <FlowDiagram pipeline={now} />
          <div class="figures">
            <Figure value={count(now.passages)} label="passages in the indexes" />
            <Figure value={count(now.lag)} label="events in the log to be done" />
            <Figure value={count(now.indexedSinceStart)} label="documents indexed since the start" />
            <ThroughputChart />
          </div>
        </>
      ) : (
        <div class="to-come" aria-busy="true">
          <div class="to-come-hit" />
        </div>
      )}
      <DeadLetterList />
      {now && (
        <div class="columns">
          <section aria-labelledby="log">
            <h2 id="log">Document log</h2>
            <PartitionList partitions={now.partitions} />
          </section>
          <section aria-labelledby="models">
            <h2 id="models">Models</h2>
            <Models fingerprint={now.indexFingerprint} />
            <ReindexBox />
          </section>
        </div>
      )}
    </>
  );
}

function Figure({ value, label }: { value: string; label: string }) {
  return (
    <p class="figure">
      <span class="figure-value">{value}</span>
      <span class="figure-label">{label}</span>
    </p>
  );
}

function Models({ fingerprint }: { fingerprint: string }) {
  const models = useSignal<readonly Model[]>([]);
  const fault = useSignal<Fault | undefined>(undefined);
  useEffect(() => {
    const leaving = new AbortController();
    server.models({ signal: leaving.signal }).then(
      (found) => {
        models.value = found;
      },
      (thrown: unknown) => {
        fault.value = faultOf(thrown, leaving.signal);
      },
    );
    return () => leaving.abort();
  }, [models, fault]);
  return (
    <dl class="facts">
      <div>
        <dt>Index made with</dt>
        <dd>{fingerprint === "" ? "nothing yet" : <code>{fingerprint}</code>}</dd>
      </div>
      {models.value.map(({ name, provider, isDefault }) => (
        <div key={name}>
          <dt>{isDefault ? "Answers by default" : "Answers too"}</dt>
          <dd>
            {name} <span class="quiet">({provider})</span>
          </dd>
        </div>
      ))}
      <FaultNote fault={fault.value} />
    </dl>
  );
}
