import { HeadwaterError, status } from "@headwater/errors";
import type { ServerFault } from "./tls-metrics.ts";

interface Words {
  readonly reason: `HW_TLS_${string}`;
  /** Goes on after "The server <name>". */
  readonly what: string;
  readonly action: string;
}

const words: Readonly<Record<ServerFault, Words>> = {
  name: {
    reason: "HW_TLS_SERVER_NAME",
    what: "shows a certificate that does not bear this name",
    action: "Give it a certificate for this name, or call it by a name that its certificate bears.",
  },
  expired: {
    reason: "HW_TLS_SERVER_EXPIRED",
    what: "shows a certificate that has expired or is not valid yet",
    action: "Renew it, look why it was not renewed, and check both clocks.",
  },
  untrusted: {
    reason: "HW_TLS_SERVER_UNTRUSTED",
    what: "shows a certificate that the authority in ca.crt did not sign",
    action:
      "Check that both sides' files in HEADWATER_TLS_DIR come from the same authority, and that the address is right.",
  },
  plain_text: {
    reason: "HW_TLS_SERVER_PLAIN_TEXT",
    what: "does not speak TLS",
    action: "Set HEADWATER_TLS_DIR there too, or on neither side.",
  },
  client_refused: {
    reason: "HW_TLS_CLIENT_REFUSED",
    what: "does not take this process's certificate",
    action:
      "Look in its log for why; check that the certificate in HEADWATER_TLS_DIR is valid and of an authority that it trusts.",
  },
  other: {
    reason: "HW_TLS_HANDSHAKE_FAILED",
    what: "and this process could not agree on TLS",
    action: "Look for the cause in both logs.",
  },
};

/** What a caller is told of a server with which no connection came about. */
export function serverProblem(fault: ServerFault, serverName: string, cause?: unknown): HeadwaterError {
  const { reason, what, action } = words[fault];
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    ...{ reason, message: `The server ${serverName} ${what}.`, action, cause },
  });
}
