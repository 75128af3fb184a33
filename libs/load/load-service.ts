import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type {
  ConnectionLoad,
  LoadServiceImplementation,
  ModelLoad,
  StreamLoad,
  WatchLoadRequest,
  WatchLoadResponse,
} from "@headwater/proto/services/headwater/v1/load";
import { LoadServiceDefinition } from "@headwater/proto/services/headwater/v1/load";
import type { RpcContext, ServedService } from "@headwater/rpc";
import { servedService } from "@headwater/rpc";
import type { CallContext } from "nice-grpc";
import type { EmbeddingDemand } from "./embedding-demand.ts";

/** Something of which a process has more or less to do. */
export interface Meter<Load> {
  readonly load: Load;
  /** When there was work last, by `performance.now()`. */
  readonly lastBusyAt: number;
}

/** What a process measures of itself; parts that it has not are left out. */
export interface LoadMeters {
  readonly model?: Meter<ModelLoad>;
  readonly streams?: Meter<StreamLoad>;
  readonly connections?: Meter<ConnectionLoad>;
  readonly embedding?: Pick<EmbeddingDemand, "tokens">;
}

export interface LoadPace {
  /** Milliseconds between two looks, and so between two reports. */
  readonly lookMs: number;
  /** Milliseconds after which a report is sent though nothing has changed. */
  readonly silenceMs: number;
}

/** Soon enough to wake a worker within a second, seldom enough to cost nothing. */
const usualPace: LoadPace = { lookMs: 250, silenceMs: 2000 };

/** LoadService of a process, to be served beside its own service. */
export function loadService(meters: LoadMeters): ServedService {
  return servedService(LoadServiceDefinition, loadHandlers(meters));
}

export function loadHandlers(
  meters: LoadMeters,
  pace: LoadPace = usualPace,
): LoadServiceImplementation<RpcContext> {
  const startedAt = performance.now();
  const report = (): WatchLoadResponse => {
    const { model, streams, connections, embedding } = meters;
    const busyAt = [model, streams, connections].map((meter) => meter?.lastBusyAt ?? startedAt);
    return {
      idleMs: Math.max(0, Math.round(performance.now() - Math.max(startedAt, ...busyAt))),
      model: model?.load,
      streams: streams?.load,
      connections: connections?.load,
      embedding: embedding?.tokens,
    };
  };
  return {
    async *watchLoad(_request: WatchLoadRequest, context: CallContext & RpcContext) {
      context.abortOnTerminate();
      const { signal } = context;
      let sent: WatchLoadResponse | undefined;
      let sentAt = 0;
      while (!signal.aborted) {
        const now = report();
        if (!sent || !sameLoad(sent, now) || performance.now() - sentAt >= pace.silenceMs) {
          yield now;
          sent = now;
          sentAt = performance.now();
        }
        await delay(pace.lookMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}

/** Time goes on by itself; that it does is no news. */
function sameLoad(one: WatchLoadResponse, other: WatchLoadResponse): boolean {
  return isDeepStrictEqual({ ...one, idleMs: other.idleMs }, other);
}
