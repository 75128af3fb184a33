/** Services whose pods are listened to. */
export const followedServices = ["embedding-worker", "search", "generation", "ingest", "gateway"] as const;
export type FollowedService = (typeof followedServices)[number];

/** Those that call the embedding-worker, and so know what waits for it. */
export const callers = ["ingest", "search", "generation", "gateway"] as const satisfies FollowedService[];

/** Those that a trigger may name. Ingest is scaled on the lag of its topic, which KEDA asks Kafka for. */
export const workloads = ["embedding-worker", "search", "generation", "gateway"] as const;
export type Workload = (typeof workloads)[number];
