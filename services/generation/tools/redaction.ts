/** Shorter ones are not looked for: they would be found in any text. */
const leastLength = 6;

/**
 * Makes a function that takes secrets out of a text: a server that is sent a credential may send it back, in a result or
 * in what it says of a failure, and both are shown and kept.
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  // Longest first: one secret may stand within another.
  const known = secrets.filter(({ length }) => length >= leastLength).toSorted((a, b) => b.length - a.length);
  return (text) => known.reduce((left, secret) => left.replaceAll(secret, "(secret)"), text);
}
