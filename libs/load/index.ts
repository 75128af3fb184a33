export { demandingClient } from "./demanding-client.ts";
export type { DemandLane, WaitingTokens } from "./embedding-demand.ts";
export { EmbeddingDemand } from "./embedding-demand.ts";
export { FadingRate } from "./fading-rate.ts";
export type { LoadMeters, LoadPace, Meter } from "./load-service.ts";
export { loadHandlers, loadService } from "./load-service.ts";
export { roundLoad } from "./round-load.ts";
export { StreamMeter } from "./stream-meter.ts";
