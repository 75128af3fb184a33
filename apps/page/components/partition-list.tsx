import type { PartitionLag } from "@headwater/client";
import { count } from "../state/format.ts";

/** How far ingest has read each partition of the log. */
export function PartitionList({ partitions }: { partitions: readonly PartitionLag[] }) {
  if (partitions.length === 0) return <p class="empty">The log is empty.</p>;
  return (
    <ul class="partitions">
      {partitions.map(({ partition, endOffset, committedOffset }) => {
        const lag = endOffset - committedOffset;
        return (
          <li key={partition}>
            <span>Partition {partition}</span>
            <progress
              max={Math.max(1, endOffset)}
              value={endOffset === 0 ? 1 : committedOffset}
              aria-label={`Partition ${partition}: ${count(committedOffset)} of ${count(endOffset)} events done`}
            />
            <span class={lag > 0 ? "lag lag-some" : "lag"}>
              {lag > 0 ? `${count(lag)} behind` : "up to date"}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
