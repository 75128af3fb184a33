import type { ClientFault, ServerFault } from "./tls-metrics.ts";

/** OpenSSL's and Node's words for a certificate that is not taken; all others of the kind mean: not trusted. */
const expired = /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/;
const untrusted = /CERT|SIGNATURE|ISSUER|CA\b|^INVALID_PURPOSE$/;
/** What was received is no TLS. */
const plainText = /^ERR_SSL_(WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL)$/;
/** The other side sent why it does not go on. */
const alert = /^ERR_SSL_.*ALERT/;

/** What is wrong with a client whose handshake failed. */
export function clientFaultOf(error: Error, authorizationError: unknown): ClientFault {
  const refused = String(authorizationError ?? "");
  if (expired.test(refused)) return "expired";
  if (refused !== "") return "untrusted";
  const code = codeOf(error);
  if (plainText.test(code)) return "plain_text";
  if (code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE") return "no_certificate";
  if (alert.test(code)) return "server_refused";
  // A client over TLS 1.3 that does not trust this server hangs up, and so does whoever only looks whether a port is open.
  return code === "ECONNRESET" ? "left" : "other";
}

/** What is wrong with a server with which the handshake failed; undefined: the connection, and not who is there. */
export function serverFaultOf(error: Error): ServerFault | undefined {
  const code = codeOf(error);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return "name";
  if (expired.test(code)) return "expired";
  if (plainText.test(code)) return "plain_text";
  if (alert.test(code)) return "client_refused";
  if (untrusted.test(code)) return "untrusted";
  return code.startsWith("ERR_SSL") || code.startsWith("ERR_TLS") ? "other" : undefined;
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "";
}
