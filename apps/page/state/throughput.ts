/** The pipeline's counter at one time. */
export interface Sample {
  /** Unix milliseconds. */
  readonly time: number;
  /** Documents indexed since the service started. */
  readonly indexed: number;
}

/** Samples kept: two minutes at one a second. */
const kept = 120;

/** Adds a sample. A counter that fell belongs to a service that was started anew: what was before does not count. */
export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const last = samples.at(-1);
  if (last && sample.indexed < last.indexed) return [sample];
  return [...samples, sample].slice(-kept);
}

/** Documents a second between each sample and the one before. */
export function ratesOf(samples: readonly Sample[]): number[] {
  return samples.slice(1).map((sample, index) => {
    const before = samples[index] ?? sample;
    const seconds = (sample.time - before.time) / 1000;
    return seconds > 0 ? (sample.indexed - before.indexed) / seconds : 0;
  });
}

/** Documents a second over the last `seconds`. */
export function recentRate(samples: readonly Sample[], seconds = 10): number {
  const last = samples.at(-1);
  if (!last) return 0;
  const first = samples.find(({ time }) => time >= last.time - seconds * 1000);
  if (!first || first.time === last.time) return 0;
  return ((last.indexed - first.indexed) * 1000) / (last.time - first.time);
}
