import { z } from "zod";
import type { App, Gateway } from "../gateway.ts";

export function metricsRoutes(app: App, { telemetry }: Gateway): void {
  app.get(
    "/metrics",
    {
      schema: {
        tags: ["operation"],
        summary: "Metrics for Prometheus",
        produces: { "text/plain": { description: "Prometheus text format", schema: z.string() } },
      },
    },
    async (_request, reply) => {
      const body = await telemetry.metrics.metrics();
      return reply.header("content-type", telemetry.metrics.contentType).send(body);
    },
  );
}
