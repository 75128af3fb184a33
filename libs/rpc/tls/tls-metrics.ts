import type { Registry } from "@headwater/telemetry";
import { Counter, Gauge } from "@headwater/telemetry";

/** Why a server does not take a connection or a call. */
export const clientFaults = [
  "plain_text",
  "no_certificate",
  "untrusted",
  "expired",
  "identity",
  "server_refused",
  "left",
  "other",
] as const;
export type ClientFault = (typeof clientFaults)[number];

/** Why a client does not take the server that answers. */
export const serverFaults = [
  "plain_text",
  "untrusted",
  "expired",
  "name",
  "client_refused",
  "other",
] as const;
export type ServerFault = (typeof serverFaults)[number];

export interface TlsMetrics {
  readonly refused: Counter<"side" | "reason">;
  readonly reloads: Counter<"result">;
  readonly expiry: Gauge<"certificate">;
}

/** Each series exists, at zero, from the start. */
export function createTlsMetrics(registry: Registry): TlsMetrics {
  const registers = [registry];
  const metrics: TlsMetrics = {
    refused: new Counter({
      name: "headwater_tls_refused_total",
      help: "Connections and calls refused, as a server (side) for what is wrong with the client, and the other way round",
      labelNames: ["side", "reason"],
      registers,
    }),
    reloads: new Counter({
      name: "headwater_tls_reloads_total",
      help: "Changes of the certificate files that were taken over, or were broken and left the former ones in use",
      labelNames: ["result"],
      registers,
    }),
    expiry: new Gauge({
      name: "headwater_tls_certificate_expiry_timestamp_seconds",
      help: "When the service's own certificate, and the first of the authorities that it trusts, end",
      labelNames: ["certificate"],
      registers,
    }),
  };
  for (const reason of clientFaults) metrics.refused.inc({ side: "server", reason }, 0);
  for (const reason of serverFaults) metrics.refused.inc({ side: "client", reason }, 0);
  for (const result of ["applied", "failed"]) metrics.reloads.inc({ result }, 0);
  return metrics;
}
