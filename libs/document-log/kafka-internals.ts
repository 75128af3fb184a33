import { createRequire } from "node:module";
import type { Broker, Cluster, Kafka } from "kafkajs";

/**
 * What is used of kafkajs beyond its public functions, all in this file: its consumer can neither keep partitions
 * through a rebalance nor read one without a group. The version is pinned exactly, and no other will follow 2.2.4.
 */

/** A broker, with the requests of group members that the published types leave out. */
export interface GroupBroker extends Broker {
  readonly nodeId: number;
  joinGroup(request: {
    groupId: string;
    /** Milliseconds. */
    sessionTimeout: number;
    /** Milliseconds. */
    rebalanceTimeout: number;
    memberId: string;
    groupProtocols: { name: string; metadata: Buffer }[];
  }): Promise<{
    generationId: number;
    leaderId: string;
    memberId: string;
    members: { memberId: string; memberMetadata: Buffer }[];
  }>;
  syncGroup(request: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
}

/** One partition's share of the answer to a fetch. */
export interface FetchedPartition {
  readonly partition: number;
  /** Offset behind the last record that no open transaction holds back. */
  readonly lastStableOffset: string;
  readonly messages: readonly FetchedMessage[];
}

export interface FetchedMessage {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | (Buffer | string)[] | undefined>>;
  readonly offset: string;
  /** Unix milliseconds. */
  readonly timestamp: string;
}

/** Of a fetch: hide what a transaction has not committed. */
export const readCommitted = 1;

const require = createRequire(import.meta.url);

const Batch: new (
  topic: string,
  fetchedOffset: string,
  partition: FetchedPartition,
) => { readonly messages: readonly FetchedMessage[]; readonly rawMessages: readonly FetchedMessage[] } =
  require("kafkajs/src/consumer/batch.js");

/** @returns the records without those of aborted transactions, and the offset behind all that was fetched */
export function readBatch(
  topic: string,
  from: number,
  fetched: FetchedPartition,
): { messages: readonly FetchedMessage[]; next: number } {
  const { messages, rawMessages } = new Batch(topic, String(from), fetched);
  const last = rawMessages.at(-1);
  return { messages, next: last ? Math.max(from, Number(last.offset) + 1) : from };
}

/**
 * A client's view of the cluster with connections of its own; kafkajs hands it to the assigners of a consumer.
 *
 * @param readUncommitted offsets count what no transaction has committed yet
 */
export function createCluster(kafka: Kafka, { readUncommitted = false } = {}): Cluster {
  const found: Cluster[] = [];
  kafka.consumer({
    ...{ groupId: "none", readUncommitted },
    partitionAssigners: [
      ({ cluster }) => {
        found.push(cluster);
        return {
          ...{ name: "none", version: 0 },
          assign: () => Promise.resolve([]),
          protocol: () => ({ name: "none", metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  const [cluster] = found;
  if (!cluster) throw new TypeError("kafkajs gave no cluster");
  return cluster;
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

/**
 * Without this each idle connection wakes a thousand times a second: the timer that looks for requests that wait sets
 * itself anew, at a negative delay, also when there is none (and Node prints a TimeoutNegativeWarning).
 */
function quietIdleConnections(): void {
  const { prototype }: { prototype: RequestQueue } = require("kafkajs/src/network/requestQueue/index.js");
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}

quietIdleConnections();
