/** Bytes of a piece that `get` gives; the port's bound. */
export const pieceBytes = 256 * 1024;

/** Cuts what is larger than a piece; passes over what is empty. */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
