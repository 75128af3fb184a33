/** How node:tls and OpenSSL name what went wrong: no agreement, or a certificate that is not trusted or names another. */
const tlsCodes = /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** True where TLS failed, also as the cause of what was thrown: clients of HTTP wrap it. */
export function isTlsFault(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if ("code" in thrown && typeof thrown.code === "string" && tlsCodes.test(thrown.code)) return true;
  return isTlsFault(thrown.cause);
}
