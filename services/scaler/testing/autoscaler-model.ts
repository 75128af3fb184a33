/** What the HPA that KEDA makes of a ScaledObject does with a metric, as its documentation says. Times in seconds. */
export interface AutoscalerSettings {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  /** Between two decisions. */
  readonly everyS: number;
  /** Before fewer replicas are made, the highest wish of so long counts. */
  readonly downStabilizationS: number;
}

/** By so much the metric may be off before anything is changed. */
const tolerance = 0.1;
/** Window of both policies: twice as many or four more; a tenth fewer, or one. */
const upPeriodS = 15;
const downPeriodS = 60;

/** A HorizontalPodAutoscaler with the behaviour that docs/autoscaling.md asks for. */
export class AutoscalerModel {
  readonly #settings: AutoscalerSettings;
  #wishes: { readonly at: number; readonly replicas: number }[] = [];
  #sizes: { readonly at: number; readonly replicas: number }[] = [];

  constructor(settings: AutoscalerSettings) {
    this.#settings = settings;
  }

  /** @returns how many replicas there are to be from now on */
  decide(now: number, replicas: number, work: number, target: number): number {
    const { minReplicas, maxReplicas, downStabilizationS } = this.#settings;
    const off = Math.abs(work / (target * replicas) - 1);
    const wish = off <= tolerance ? replicas : Math.ceil(work / target);
    this.#wishes = [...this.#wishes, { at: now, replicas: wish }].filter(
      ({ at }) => at > now - downStabilizationS,
    );
    this.#sizes = [...this.#sizes, { at: now, replicas }].filter(({ at }) => at > now - downPeriodS);
    const stable =
      wish < replicas ? Math.min(replicas, Math.max(...this.#wishes.map((made) => made.replicas))) : wish;
    const before = this.#sizeAt(now - upPeriodS, replicas);
    const most = Math.max(before * 2, before + 4);
    const highest = Math.max(...this.#sizes.map((size) => size.replicas));
    const least = Math.min(Math.floor(highest * 0.9), highest - 1);
    return Math.min(maxReplicas, Math.max(minReplicas, Math.min(most, Math.max(least, stable))));
  }

  #sizeAt(time: number, otherwise: number): number {
    return this.#sizes.findLast(({ at }) => at <= time)?.replicas ?? otherwise;
  }
}
