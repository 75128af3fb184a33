import type { LaneTokens, StreamLoad, WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import type { FleetView } from "../fleet.ts";

const nothing: WatchLoadResponse = {
  idleMs: 0,
  model: undefined,
  streams: undefined,
  connections: undefined,
  embedding: undefined,
};

interface WorkerState {
  /** Tokens a second. */
  readonly capacity?: number;
  readonly queued?: Partial<LaneTokens>;
  readonly rate?: Partial<LaneTokens>;
  readonly idleMs?: number;
}

/** What an embedding-worker reports. */
export function worker({ capacity = 1000, queued, rate, idleMs = 0 }: WorkerState = {}): WatchLoadResponse {
  const lane = (name: keyof LaneTokens) => ({
    queuedTokens: queued?.[name] ?? 0,
    inFlightTokens: 0,
    tokensPerSecond: rate?.[name] ?? 0,
  });
  return { ...nothing, idleMs, model: { capacity, urgent: lane("urgent"), passages: lane("passages") } };
}

/** What a caller of the embedding-worker reports. */
export function caller(tokens: Partial<LaneTokens>): WatchLoadResponse {
  return { ...nothing, embedding: { urgent: 0, passages: 0, ...tokens } };
}

/** What search and generation report. */
export function answering(streams: Partial<StreamLoad>): WatchLoadResponse {
  return {
    ...nothing,
    streams: { inFlight: 0, meanInFlight: 0, latencySeconds: 0, latencySamples: 0, ...streams },
  };
}

export function connected(open: number): WatchLoadResponse {
  return { ...nothing, connections: { open } };
}

export function fleet(
  reporting: readonly WatchLoadResponse[],
  { lost = [], unheard = 0 }: Partial<FleetView> = {},
): FleetView {
  return { reporting, lost, unheard };
}
