import type { FastifyReply } from "fastify";
import type { z } from "zod";
import type { App, Gateway } from "../gateway.ts";
import { liveSchema, readySchema } from "../schemas/health.ts";

const tags = ["operation"];

/** What probes ask; without sign-in, as they have none, and never refused for load. */
export function healthRoutes(app: App, gateway: Gateway): void {
  const { upstream, drain } = gateway;
  const ready = async (reply: FastifyReply): Promise<z.output<typeof readySchema>> => {
    const asked = await upstream.health();
    const services = asked.map(({ service, problem }) => ({
      service,
      status: problem ? ("not ready" as const) : ("ready" as const),
      reason: problem?.reason,
      message: problem?.message,
      action: problem?.action,
    }));
    const isReady = !drain.signal.aborted && asked.every(({ problem, needed }) => !problem || !needed);
    void reply.code(isReady ? 200 : 503);
    return { status: isReady ? "ready" : "not ready", services };
  };
  const response = { 200: readySchema, 503: readySchema };

  app.get(
    "/health/live",
    {
      schema: {
        tags,
        summary: "The process is alive, whatever it depends on",
        response: { 200: liveSchema },
      },
    },
    async () => ({ status: "live" as const }),
  );
  app.get(
    "/health/ready",
    { schema: { tags, summary: "Each service, and which one is not ready", response } },
    (_request, reply) => ready(reply),
  );
  app.get(
    "/health",
    { schema: { tags, summary: "The same as /health/ready", response } },
    (_request, reply) => ready(reply),
  );
}
