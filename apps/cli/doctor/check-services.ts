import { connect } from "node:tls";
import { HeadwaterError, status } from "@headwater/errors";
import { EmbeddingServiceDefinition } from "@headwater/proto/services/headwater/v1/embedding";
import { createRpcClient } from "@headwater/rpc";
import type { Direct } from "../direct-connection.ts";
import type { Finding } from "./finding.ts";
import { failedCheck, healthy } from "./finding.ts";

const timeoutMs = 5000;
const dayMs = 24 * 3_600_000;
/** Certificates are renewed well before this; one that is not is somebody's to look at. */
const certificateDaysWanted = 7;

/** Each service by itself: who is not ready, and for whose sake. */
export async function checkServices(direct: Direct): Promise<Finding[]> {
  const asked = await direct.upstream.health();
  const findings = asked.map(({ service, problem }) =>
    problem ? failedCheck(service, problem) : healthy(service, `${direct.addresses[service]} is ready`),
  );
  return [...findings, await checkEmbeddingWorker(direct)];
}

/** It is called by the others alone, so what counts is that it can be reached. */
async function checkEmbeddingWorker({ upstream: { tls }, addresses }: Direct): Promise<Finding> {
  const address = addresses["embedding-worker"] ?? "";
  const client = createRpcClient(EmbeddingServiceDefinition, address, { tls });
  try {
    await client.waitUntilConnected(timeoutMs);
    return healthy("embedding-worker", `${address} takes connections`);
  } catch (cause) {
    const error = new HeadwaterError({
      ...{ code: status.UNAVAILABLE, reason: "HW_EMBEDDING_UNAVAILABLE", cause },
      message: `${address} takes no connections.`,
      action: "Look at its pods; documents and searches by meaning wait for it.",
    });
    return failedCheck("embedding-worker", error);
  } finally {
    client.close();
  }
}

/** Until when the certificates hold that servers show; nothing where they speak plain text. */
export async function checkCertificates({ upstream: { tls }, addresses }: Direct): Promise<Finding[]> {
  if (!tls) return [];
  const own = expiryFinding("certificate of this process", tls.certificate.expires);
  const others = Object.entries(addresses).map(async ([service, address]) => {
    const check = `certificate of ${service}`;
    try {
      return expiryFinding(check, await shownUntil(address));
    } catch (thrown) {
      return failedCheck(check, thrown);
    }
  });
  return [own, ...(await Promise.all(others))];
}

/** The certificate itself is looked at, whoever signed it: whether it is trusted is told by the services' own checks. */
function shownUntil(address: string): Promise<Date> {
  const colon = address.lastIndexOf(":");
  const socket = connect({
    ...{ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) },
    ...{ ALPNProtocols: ["h2"], rejectUnauthorized: false, timeout: timeoutMs },
  });
  return new Promise<Date>((resolve, reject) => {
    socket.once("secureConnect", () => resolve(new Date(socket.getPeerCertificate().valid_to)));
    socket.once("timeout", () => reject(new Error(`${address} does not answer`)));
    socket.once("error", reject);
  }).finally(() => socket.destroy());
}

function expiryFinding(check: string, until: Date): Finding {
  const days = Math.floor((until.getTime() - Date.now()) / dayMs);
  const isFine = days >= certificateDaysWanted;
  return {
    ...{ check, healthy: isFine },
    message: `holds until ${until.toISOString()}, ${days} days`,
    action: isFine ? "" : "Renew it; whatever was to renew it (cert-manager, docs/security.md) has not.",
  };
}
