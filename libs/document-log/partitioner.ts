/** Multiplier and rotation of MurmurHash2 (Austin Appleby, public domain), seed as in Kafka's Utils.murmur2. */
const multiplier = 0x5bd1e995;
const rotation = 24;
const seed = 0x9747b28c;

/**
 * The partition of a key, as Kafka's default partitioner and kafkajs choose it, so that keys land alike on every
 * adapter and a partition of one can be compared with that of another.
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(Buffer.from(key, "utf8")) & 0x7fffffff) % partitions;
}

/** 32-bit MurmurHash2, signed. */
export function murmur2(data: Buffer): number {
  let hash = seed ^ data.length;
  const tail = data.length - (data.length % 4);
  for (let at = 0; at < tail; at += 4) {
    let word = Math.imul(data.readInt32LE(at), multiplier);
    word = Math.imul(word ^ (word >>> rotation), multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  if (tail < data.length) {
    for (let at = data.length - 1; at >= tail; at -= 1) hash ^= data.readUInt8(at) << (8 * (at - tail));
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
