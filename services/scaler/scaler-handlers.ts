import { setTimeout as delay } from "node:timers/promises";
import { invalidArgument } from "@headwater/errors";
import type {
  ExternalScalerDefinition,
  GetMetricSpecResponse,
  GetMetricsRequest,
  GetMetricsResponse,
  IsActiveResponse,
  ScaledObjectRef,
} from "@headwater/proto/services/externalscaler/externalscaler";
import type { RpcContext } from "@headwater/rpc";
import type { CallContext, ServiceImplementation } from "nice-grpc";
import type { Fleets } from "./fleets.ts";
import type { ScalerMetrics } from "./metrics.ts";
import type { Trigger } from "./trigger.ts";
import { metricNames, readTrigger } from "./trigger.ts";

/** Milliseconds between two looks whether a workload has become active. */
const lookMs = 250;
/**
 * Milliseconds after which `true` is sent once more: KEDA drops one that comes before it knows the names of the
 * metrics, or while the API server is away.
 */
const repeatMs = 10_000;
/**
 * Milliseconds after which a stream is ended in order. KEDA takes it up again after two seconds, and so comes to other
 * scalers too; after a stream that was cut, as by the maximum age of connections, it waits longer each time.
 */
const streamMs = 20 * 60_000;

/** The calls of KEDA's contract. */
export class ScalerHandlers implements ServiceImplementation<typeof ExternalScalerDefinition, RpcContext> {
  readonly #fleets: Fleets;
  readonly #metrics: ScalerMetrics;

  constructor(fleets: Fleets, metrics: ScalerMetrics) {
    this.#fleets = fleets;
    this.#metrics = metrics;
  }

  async isActive(request: ScaledObjectRef): Promise<IsActiveResponse> {
    return { result: this.#isActive(this.#read(request)) };
  }

  /** Ends in order when the scaler drains: KEDA then connects again after two seconds, after an error ever later. */
  async *streamIsActive(
    request: ScaledObjectRef,
    context: CallContext & RpcContext,
  ): AsyncGenerator<IsActiveResponse> {
    context.abortOnTerminate();
    const trigger = this.#read(request);
    const begunAt = performance.now();
    let sent: boolean | undefined;
    let sentAt = 0;
    while (!context.signal.aborted && performance.now() - begunAt < streamMs) {
      const result = this.#isActive(trigger);
      if (result !== sent || (result && performance.now() - sentAt >= repeatMs)) {
        yield { result };
        sent = result;
        sentAt = performance.now();
      }
      await delay(lookMs, undefined, { signal: context.signal }).catch(() => {});
    }
  }

  async getMetricSpec(request: ScaledObjectRef): Promise<GetMetricSpecResponse> {
    const { workload, target } = this.#read(request);
    const metricName = metricNames[workload];
    // The whole number is for a KEDA that does not know of the other; it may not be 0.
    return {
      metricSpecs: [{ metricName, targetSize: Math.max(1, Math.round(target)), targetSizeFloat: target }],
    };
  }

  async getMetrics({ scaledObjectRef, metricName }: GetMetricsRequest): Promise<GetMetricsResponse> {
    const trigger = this.#read(scaledObjectRef);
    const { workload, target } = trigger;
    if (metricName !== metricNames[workload]) {
      throw invalidArgument(
        "HW_METRIC_UNKNOWN",
        `${workload} has no metric ${JSON.stringify(metricName)}.`,
        `Ask for ${metricNames[workload]}.`,
      );
    }
    const work = this.#fleets.work(trigger);
    this.#metrics.work.set({ workload }, work);
    this.#metrics.replicas.set({ workload }, Math.ceil(work / target));
    return {
      metricValues: [{ metricName, metricValue: Math.ceil(work), metricValueFloat: work }],
    };
  }

  #read(reference: ScaledObjectRef | undefined): Trigger {
    const trigger = readTrigger(reference?.scalerMetadata ?? {});
    this.#fleets.checkFollowed(trigger.workload);
    return trigger;
  }

  #isActive({ workload }: Trigger): boolean {
    const active = this.#fleets.isActive(workload);
    this.#metrics.active.set({ workload }, active ? 1 : 0);
    return active;
  }
}
