import type { Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Registry } from "@headwater/telemetry";
import { exposition } from "./exposition.ts";
import type { RunningService } from "./service.ts";

/** Serves /metrics, /health/live and /health/ready for the services of a process. */
export interface AdminServer {
  /** host:port that it listens on. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * @param address host:port; port 0 lets the system choose
 * @param more registries beside the services' own, such as one for the process as a whole
 */
export async function startAdminServer(
  address: string,
  services: readonly RunningService[],
  more: readonly Registry[] = [],
): Promise<AdminServer> {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  const server = createServer((request, response) => {
    void answer(request.url ?? "/", response, services, more);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(address.slice(colon + 1)), host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { address: `${address.slice(0, colon)}:${port}`, close: () => closeServer(server) };
}

async function answer(
  url: string,
  response: ServerResponse,
  services: readonly RunningService[],
  more: readonly Registry[],
): Promise<void> {
  switch (url.split("?")[0]) {
    case "/metrics": {
      response.setHeader("content-type", Registry.PROMETHEUS_CONTENT_TYPE);
      response.end(await exposition([...more, ...services.map((service) => service.metrics)]));
      return;
    }
    case "/health/live":
      sendJson(response, 200, { status: "live" });
      return;
    case "/health/ready": {
      const waiting = services.flatMap(({ name, notReady }) =>
        notReady ? [{ service: name, reason: notReady.reason, message: notReady.message }] : [],
      );
      sendJson(response, waiting.length === 0 ? 200 : 503, {
        status: waiting.length === 0 ? "ready" : "not ready",
        waiting,
      });
      return;
    }
    default:
      sendJson(response, 404, { status: "not found", paths: ["/metrics", "/health/live", "/health/ready"] });
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
