import { percent } from "../state/format.ts";

/** How much a statement surprised. `threshold`: what the score had to reach; undefined where it is not known. */
export function SurpriseMeter({ surprise, threshold }: { surprise: number; threshold?: number }) {
  return (
    <span
      class="surprise"
      title={threshold === undefined ? undefined : `Remembered from ${percent(threshold)}`}
    >
      <span class="score-track" aria-hidden="true">
        <span class="score-fill" style={{ transform: `scaleX(${Math.min(1, surprise)})` }} />
        {threshold !== undefined && <span class="surprise-mark" style={{ left: percent(threshold) }} />}
      </span>
      surprise {surprise.toFixed(2)}
    </span>
  );
}
