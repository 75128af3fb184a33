import { readFileSync } from "node:fs";

/** Serialised google.protobuf.FileDescriptorSet of all contracts, for reflection. */
export function readDescriptors(): Uint8Array {
  return readFileSync(new URL("./gen/descriptors.binpb", import.meta.url));
}
