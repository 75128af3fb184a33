import type { Cluster } from "kafkajs";
import {
  assignmentProtocol,
  assignTopics,
  decodeAssignment,
  decodeClaim,
  encodeAssignment,
  encodeClaim,
} from "./kafka-assignment.ts";
import { isGenerationOver, isMembershipLost } from "./kafka-error.ts";
import type { GroupBroker } from "./kafka-internals.ts";

export interface MembershipOptions {
  readonly cluster: Cluster;
  readonly group: string;
  readonly topic: string;
  /** Of the topic. */
  readonly partitions: number;
  /** Milliseconds without a sign of life after which the group goes on without this member. */
  readonly sessionTimeoutMs: number;
}

/** One member of a consumer group, as Kafka's group coordinator knows it. */
export class KafkaMembership {
  readonly #options: MembershipOptions;
  #coordinator: number | undefined;
  #memberId = "";
  #generation = -1;
  #assigned: readonly number[] = [];

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Changes when the group has gone on without this member, which then holds nothing of what it was assigned. */
  get memberId(): string {
    return this.#memberId;
  }

  /**
   * Waits until all members have joined, then until the leader has shared the partitions.
   *
   * @returns the partitions that are this member's now
   * @throws what kafkajs threw
   */
  async join(): Promise<readonly number[]> {
    while (true) {
      try {
        this.#assigned = await this.#joinOnce();
        return this.#assigned;
      } catch (thrown) {
        if (isMembershipLost(thrown)) this.forget();
        // Somebody else came or left in between.
        else if (!isGenerationOver(thrown)) throw this.#lostCoordinator(thrown);
      }
    }
  }

  /** @returns false where the group shares its partitions anew: join again */
  async heartbeat(): Promise<boolean> {
    try {
      const coordinator = await this.#findCoordinator();
      await coordinator.heartbeat(this.#identity());
      return true;
    } catch (thrown) {
      if (isMembershipLost(thrown)) this.forget();
      else if (!isGenerationOver(thrown)) throw this.#lostCoordinator(thrown);
      return false;
    }
  }

  /** @throws what kafkajs threw; see `isGenerationOver` and `isMembershipLost` */
  async commit(partition: number, offset: number): Promise<void> {
    const { topic } = this.#options;
    try {
      const coordinator = await this.#findCoordinator();
      const partitions = [{ partition, offset: String(offset) }];
      await coordinator.offsetCommit({ ...this.#identity(), topics: [{ topic, partitions }] });
    } catch (thrown) {
      throw this.#lostCoordinator(thrown);
    }
  }

  /** @returns partition → offset; without those for which the group has never committed */
  async committed(partitions: readonly number[]): Promise<Map<number, number>> {
    const { group, topic } = this.#options;
    try {
      const coordinator = await this.#findCoordinator();
      // The published type asks for offsets, which the request has no room for.
      const wanted = partitions.map((partition) => ({ partition, offset: "" }));
      const { responses } = await coordinator.offsetFetch({
        ...{ groupId: group, topics: [{ topic, partitions: wanted }] },
      });
      const found = responses.flatMap(({ partitions: offsets }) => offsets);
      return new Map(
        found
          .map(({ partition, offset }): [number, number] => [partition, Number(offset)])
          .filter(([, offset]) => offset >= 0),
      );
    } catch (thrown) {
      throw this.#lostCoordinator(thrown);
    }
  }

  async leave(): Promise<void> {
    if (this.#memberId === "") return;
    const coordinator = await this.#findCoordinator();
    await coordinator.leaveGroup({ groupId: this.#options.group, memberId: this.#memberId });
    this.forget();
  }

  /** To the group this is another member from now on. */
  forget(): void {
    this.#memberId = "";
    this.#generation = -1;
    this.#assigned = [];
  }

  async #joinOnce(): Promise<readonly number[]> {
    const { group, topic, partitions, sessionTimeoutMs } = this.#options;
    const coordinator = await this.#findCoordinator();
    const claim = {
      ...{ topic, topicPartitions: partitions },
      ...{ memberId: this.#memberId, partitions: this.#assigned },
    };
    const joined = await coordinator.joinGroup({
      groupId: group,
      memberId: this.#memberId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: sessionTimeoutMs,
      groupProtocols: [{ name: assignmentProtocol, metadata: encodeClaim(claim) }],
    });
    const { generationId, memberId, leaderId } = joined;
    const members = joined.members.map((member) => ({
      memberId: member.memberId,
      claim: decodeClaim(member.memberMetadata),
    }));
    const shares = memberId === leaderId ? assignTopics(members) : new Map<string, readonly number[]>();
    const topicOf = new Map(members.map((member) => [member.memberId, member.claim.topic]));
    this.#memberId = memberId;
    const { memberAssignment } = await coordinator.syncGroup({
      ...{ groupId: group, generationId, memberId },
      groupAssignment: [...shares].map(([member, share]) => ({
        ...{ memberId: member, memberAssignment: encodeAssignment(topicOf.get(member) ?? topic, share) },
      })),
    });
    this.#generation = generationId;
    return decodeAssignment(topic, memberAssignment);
  }

  #identity() {
    const { group } = this.#options;
    return { groupId: group, groupGenerationId: this.#generation, memberId: this.#memberId };
  }

  async #findCoordinator(): Promise<GroupBroker> {
    const { cluster, group } = this.#options;
    const broker =
      this.#coordinator === undefined
        ? await cluster.findGroupCoordinator({ groupId: group })
        : await cluster.findBroker({ nodeId: String(this.#coordinator) });
    const coordinator = broker as GroupBroker;
    this.#coordinator = coordinator.nodeId;
    return coordinator;
  }

  /** Whatever it was, the coordinator may be another one now. */
  #lostCoordinator(thrown: unknown): unknown {
    this.#coordinator = undefined;
    return thrown;
  }
}
