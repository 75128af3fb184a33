import type { HeadwaterClient } from "@headwater/client";
import type { Telemetry } from "@headwater/telemetry";
import type { FastifyInstance, FastifyTypeProvider, RawServerDefault } from "fastify";
import type { z } from "zod";
import type { Admission } from "./admission.ts";
import type { GatewayConfig } from "./config.ts";
import type { Drain } from "./drain.ts";
import type { ObserveQuery } from "./query-observer.ts";
import type { Upstream } from "./upstream.ts";

/** What the routes work with. */
export interface Gateway {
  readonly config: GatewayConfig;
  readonly telemetry: Telemetry;
  readonly upstream: Upstream;
  readonly client: HeadwaterClient;
  readonly observe: ObserveQuery;
  readonly admission: Admission;
  readonly drain: Drain;
}

/** Types a route's request by its zod schemas. */
export interface ZodTypeProvider extends FastifyTypeProvider {
  validator: this["schema"] extends z.ZodType ? z.output<this["schema"]> : unknown;
  /** What is sent is typed where it is made: each `…Json` function returns its schema's type. */
  serializer: unknown;
}

/** Fastify with routes typed by zod. */
export type App = FastifyInstance<
  RawServerDefault,
  import("node:http").IncomingMessage,
  import("node:http").ServerResponse,
  import("fastify").FastifyBaseLogger,
  ZodTypeProvider
>;

declare module "fastify" {
  interface FastifySchema {
    /** One line for the OpenAPI document. Routes without it are left out of the document. */
    summary?: string;
    description?: string;
    tags?: string[];
    /** Form of the route's errors in the OpenAPI document. Default: Error. */
    failure?: z.ZodType;
    /** Other media types than JSON that the route takes or answers with. */
    consumes?: Readonly<Record<string, { description: string; schema?: z.ZodType }>>;
    produces?: Readonly<Record<string, { description: string; schema?: z.ZodType }>>;
  }
}
