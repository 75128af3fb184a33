import { rate } from "../state/format.ts";
import { samples } from "../state/pipeline.ts";
import { ratesOf, recentRate } from "../state/throughput.ts";

const width = 240;
const height = 56;

/** Documents a second over the last two minutes. */
export function ThroughputChart() {
  const rates = ratesOf(samples.value);
  const highest = Math.max(1, ...rates);
  const step = width / Math.max(1, 119);
  const points = rates.map(
    (value, index) =>
      `${(width - (rates.length - 1 - index) * step).toFixed(1)},${(height - 2 - (value / highest) * (height - 8)).toFixed(1)}`,
  );
  const now = recentRate(samples.value);
  return (
    <figure class="chart">
      <figcaption>
        <span class="figure-value">{rate(now)}</span>
        <span class="figure-label">documents a second</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`Indexed: ${rate(now)} documents a second, at most ${rate(highest)} in the last two minutes`}
      >
        <path class="chart-base" d={`M0 ${height - 2}H${width}`} />
        {points.length > 1 && <polyline class="chart-line" points={points.join(" ")} />}
      </svg>
    </figure>
  );
}
