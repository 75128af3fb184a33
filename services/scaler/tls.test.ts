import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, credentials } from "@grpc/grpc-js";
import type { ScaledObjectRef } from "@headwater/proto/services/externalscaler/externalscaler";
import { ExternalScalerDefinition } from "@headwater/proto/services/externalscaler/externalscaler";
import { TlsIdentity } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder, until } from "@headwater/testing";
import type { CertificateFiles } from "@headwater/testing/certificates";
import { createAuthority, mountCertificates } from "@headwater/testing/certificates";
import { readScalerConfig } from "./config.ts";
import { startScaler } from "./server.ts";
import { PodDoubles, testPace } from "./testing/pods.ts";
import { worker } from "./testing/reports.ts";

const scalerName = "headwater-scaler.rag.svc";
const kedaName = "keda-operator.keda.svc";

const authority = await createAuthority("ours");
const folder = await temporaryFolder();
const podsFolder = await temporaryFolder();
await mountCertificates(folder, await authority.issue([scalerName, "127.0.0.1"]));
// The name of the service, and no address of a pod.
await mountCertificates(podsFolder, await authority.issue(["pods.test"]));
const podIdentity = new TlsIdentity(
  { folder: podsFolder, allowedClients: new Set([scalerName]) },
  silentTelemetry("pod"),
);
const pods = new PodDoubles(podIdentity);
let scaler: RunningService;

before(async () => {
  await pods.start("127.0.0.1", worker({ queued: { passages: 7000 } }));
  await pods.start("127.0.0.2", worker({ queued: { passages: 1000 } }));
  const config = readScalerConfig({
    HEADWATER_SCALER_LISTEN: "127.0.0.1:0",
    HEADWATER_EMBEDDING_ADDRESS: pods.address,
    HEADWATER_TLS_DIR: folder,
    HEADWATER_TLS_ALLOWED_CLIENTS: kedaName,
  });
  scaler = await startScaler(config, silentTelemetry("scaler"), { resolve: pods.resolve, pace: testPace });
});
after(async () => {
  await scaler.close(1000);
  await pods.close();
  podIdentity.close();
});

/** As KEDA connects, with what a TriggerAuthentication gives it. */
function keda(files: CertificateFiles): Client {
  const [caCert, tlsClientKey, tlsClientCert] = [files["ca.crt"], files["tls.key"], files["tls.crt"]].map(
    (pem) => Buffer.from(pem),
  );
  assert(caCert && tlsClientKey && tlsClientCert);
  return new Client(scaler.address, credentials.createSsl(caCert, tlsClientKey, tlsClientCert));
}

function work(client: Client): Promise<number | undefined> {
  const scaledObjectRef: ScaledObjectRef = {
    ...{ name: "embedding-worker", namespace: "rag" },
    scalerMetadata: { workload: "embedding-worker", target: "5", enableTLS: "true" },
  };
  const { requestType, responseType } = ExternalScalerDefinition.methods.getMetrics;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      "/externalscaler.ExternalScaler/GetMetrics",
      (request: Parameters<typeof requestType.encode>[0]) =>
        Buffer.from(requestType.encode(request).finish()),
      (bytes: Buffer) => responseType.decode(bytes),
      { scaledObjectRef, metricName: "headwater-embedding-work-seconds" },
      (error, response) => (error ? reject(error) : resolve(response?.metricValues[0]?.metricValueFloat)),
    );
  });
}

test("over TLS pods are known by the name of their service, and KEDA by its own", async () => {
  const client = keda(await authority.issue([kedaName]));
  try {
    await until("both pods are heard", () =>
      work(client).then(
        (now) => now === 8,
        () => false,
      ),
    );
  } finally {
    client.close();
  }
});

test("another of the same authority is refused", async () => {
  const client = keda(await authority.issue(["headwater-search.rag.svc"]));
  try {
    await assert.rejects(work(client), { code: 7 });
  } finally {
    client.close();
  }
});
