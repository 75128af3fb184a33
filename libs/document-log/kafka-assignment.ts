import { AssignerProtocol } from "kafkajs";

/** What a member tells the leader of its group. */
export interface Claim {
  /** That it reads. Installations that share brokers and the name of a group read topics of their own. */
  readonly topic: string;
  /** Of the topic. */
  readonly topicPartitions: number;
  /** As whom it was given `partitions`; a member that was expelled meanwhile bears another name, and holds nothing. */
  readonly memberId: string;
  /** That it works on, and has not given up. */
  readonly partitions: readonly number[];
}

export interface ClaimingMember {
  readonly memberId: string;
  readonly claim: Claim;
}

/** Members of a group must agree on it. */
export const assignmentProtocol = "headwater-cooperative";
const version = 0;

/**
 * Shares the partitions evenly, and moves as few as that takes. A partition that is to change hands is given to nobody
 * in this generation: its holder learns that it lost it, says so to those who work on it, and joins again without
 * claiming it; only then does it go to its new owner. So nobody stops working on what they keep, and no partition ever
 * has two owners (the cooperative protocol of Kafka's KIP-429, which kafkajs does not have).
 */
export function assignPartitions(
  members: readonly ClaimingMember[],
  partitions: number,
): Map<string, readonly number[]> {
  const held = new Map(members.map((member) => [member.memberId, validClaim(member, partitions)]));
  // Those who hold most keep the larger shares, so that fewer partitions move.
  const order = members
    .map(({ memberId }) => memberId)
    .sort((a, b) => (held.get(b)?.length ?? 0) - (held.get(a)?.length ?? 0) || (a < b ? -1 : 1));
  const claimed = new Set([...held.values()].flat());
  const free = Array.from({ length: partitions }, (_, i) => i).filter((partition) => !claimed.has(partition));
  const share = Math.floor(partitions / order.length);
  const larger = partitions % order.length;
  return new Map(
    order.map((memberId, place) => {
      const quota = share + (place < larger ? 1 : 0);
      const kept = (held.get(memberId) ?? []).slice(0, quota);
      return [memberId, [...kept, ...free.splice(0, quota - kept.length)].sort((a, b) => a - b)];
    }),
  );
}

/** The shares of all members of a group, each in the topic that it reads. */
export function assignTopics(members: readonly ClaimingMember[]): Map<string, readonly number[]> {
  const topics = Map.groupBy(members, ({ claim }) => claim.topic);
  return new Map(
    [...topics.values()].flatMap((readers) => {
      const partitions = Math.max(...readers.map(({ claim }) => claim.topicPartitions));
      return [...assignPartitions(readers, partitions)];
    }),
  );
}

export function encodeClaim(claim: Claim): Buffer {
  const userData = Buffer.from(JSON.stringify(claim));
  return AssignerProtocol.MemberMetadata.encode({ version, topics: [claim.topic], userData });
}

/** @returns a claim to nothing where a member of another kind sent none */
export function decodeClaim(metadata: Buffer): Claim {
  const nothing: Claim = { topic: "", topicPartitions: 0, memberId: "", partitions: [] };
  const userData = AssignerProtocol.MemberMetadata.decode(metadata)?.userData;
  if (!userData || userData.length === 0) return nothing;
  try {
    const claim: Partial<Record<keyof Claim, unknown>> = JSON.parse(userData.toString());
    const { topic, topicPartitions, memberId, partitions } = claim;
    if (typeof topic !== "string" || typeof topicPartitions !== "number") return nothing;
    if (typeof memberId !== "string" || !Array.isArray(partitions)) return nothing;
    const held = partitions.filter((partition) => Number.isInteger(partition));
    return { topic, topicPartitions, memberId, partitions: held };
  } catch {
    return nothing;
  }
}

export function encodeAssignment(topic: string, partitions: readonly number[]): Buffer {
  return AssignerProtocol.MemberAssignment.encode({
    ...{ version, assignment: { [topic]: [...partitions] }, userData: Buffer.alloc(0) },
  });
}

export function decodeAssignment(topic: string, assignment: Buffer): readonly number[] {
  if (assignment.length === 0) return [];
  return AssignerProtocol.MemberAssignment.decode(assignment)?.assignment[topic] ?? [];
}

function validClaim({ memberId, claim }: ClaimingMember, partitions: number): number[] {
  if (claim.memberId !== memberId) return [];
  return claim.partitions.filter((partition) => partition < partitions).sort((a, b) => a - b);
}
