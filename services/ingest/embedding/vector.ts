import { HeadwaterError, status } from "@headwater/errors";

/**
 * The float32 of the wire, little-endian. Copied: the bytes lie in the buffer of a whole message, which a view would
 * keep alive, and not at a multiple of four.
 *
 * @throws HeadwaterError INTERNAL where the length is not that of `dimensions`
 */
export function decodeVector(bytes: Uint8Array, dimensions: number): Float32Array {
  if (bytes.length !== dimensions * 4) {
    throw new HeadwaterError({
      ...{ code: status.INTERNAL, reason: "HW_EMBED_RESPONSE_INVALID" },
      message: `A vector has ${bytes.length} bytes instead of ${dimensions * 4}.`,
    });
  }
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
