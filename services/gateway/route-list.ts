import type { FastifyInstance, RouteOptions } from "fastify";

/** Every route that the application gets from here on, in their order. */
export function listRoutes(app: FastifyInstance): readonly RouteOptions[] {
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => {
    routes.push(route);
  });
  return routes;
}
