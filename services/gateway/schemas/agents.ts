import type { Agent, NewAgent, Tool } from "@headwater/client";
import { z } from "zod";
import { nextPageTokenSchema, timeSchema } from "./page.ts";
import { named } from "./registry.ts";
import { defined } from "./search.ts";

const newAgentFields = {
  name: z.string().min(1).max(128).describe("Unique within the tenant"),
  description: z.string().max(1024).optional(),
  model: z.string().max(256).optional().describe("Name from /v1/models. Default: the server's"),
  preamble: z.string().max(16_384).optional().describe("What the model is told about its task"),
  temperature: z.number().min(0).max(2).optional(),
  top_k: z.int().min(1).max(50).optional().describe("Passages that one search brings. Default 8"),
  tools: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(128).describe("From /api/v1/tools, or prefix* for all tools of a server"),
        needs_approval: z.boolean().optional().describe("Each call waits for a decision"),
      }),
    )
    .max(256)
    .optional(),
  limits: z
    .strictObject({
      max_steps: z.int().min(1).max(64).optional().describe("Model calls. Default 8"),
      max_tokens: z
        .int()
        .min(1)
        .max(4_294_967_295)
        .optional()
        .describe("Of all model calls. Default 100,000"),
      max_seconds: z.int().min(1).max(3600).optional().describe("Default 120"),
      max_cost: z.number().positive().optional().describe("US dollars. Default: no limit"),
    })
    .optional()
    .describe("When the agent has to end"),
};

export const newAgentSchema = named("NewAgent", z.strictObject(newAgentFields));

export const changedAgentSchema = named(
  "ChangedAgent",
  z.strictObject({
    ...newAgentFields,
    version: z.int().min(0).optional().describe("That was read: 409 where there is another. Default: any"),
  }),
);

export const agentSchema = named(
  "Agent",
  z.object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    model: z.string().describe("Empty: the default one"),
    preamble: z.string(),
    temperature: z.number().optional(),
    top_k: z.number().describe("0: the default"),
    tools: z.array(z.object({ name: z.string(), needs_approval: z.boolean() })),
    limits: z
      .object({
        max_steps: z.number(),
        max_tokens: z.number(),
        max_seconds: z.number(),
        max_cost: z.number(),
      })
      .describe("0: the default"),
    version: z.number().describe("Grows with each update"),
    created_time: timeSchema.optional(),
    updated_time: timeSchema.optional(),
  }),
);

export const agentListSchema = named(
  "AgentList",
  z.object({ agents: z.array(agentSchema).describe("By name"), next_page_token: nextPageTokenSchema }),
);

export const toolSchema = named(
  "Tool",
  z.object({
    name: z.string(),
    description: z.string().describe("As the model reads it"),
    parameters_json: z.string().describe("JSON Schema of its arguments"),
    source: z.string().describe("built-in, openapi:NAME, mcp:NAME or sandbox"),
    needs_approval: z.boolean(),
  }),
);

export const toolListSchema = named(
  "ToolList",
  z.object({
    tools: z.array(toolSchema).describe("By name"),
    unavailable: z.array(z.string()).describe("Sources of tools that do not answer, as name: why"),
  }),
);

/** The body in the client's names. */
export function newAgent(body: z.output<typeof newAgentSchema>): NewAgent {
  const { limits = {} } = body;
  return {
    name: body.name,
    ...defined({
      description: body.description,
      model: body.model,
      preamble: body.preamble,
      temperature: body.temperature,
      topK: body.top_k,
    }),
    tools: (body.tools ?? []).map(({ name, needs_approval = false }) => ({
      name,
      needsApproval: needs_approval,
    })),
    limits: defined({
      maxSteps: limits.max_steps,
      maxTokens: limits.max_tokens,
      maxSeconds: limits.max_seconds,
      maxCost: limits.max_cost,
    }),
  };
}

export function agentJson(agent: Agent): z.output<typeof agentSchema> {
  const { id, name, description, model, preamble, temperature, version, limits } = agent;
  return {
    ...{ id, name, description, model, preamble, temperature, version },
    top_k: agent.topK,
    tools: agent.tools.map((tool) => ({ name: tool.name, needs_approval: tool.needsApproval })),
    limits: {
      max_steps: limits.maxSteps,
      max_tokens: limits.maxTokens,
      max_seconds: limits.maxSeconds,
      max_cost: limits.maxCost,
    },
    created_time: agent.createdTime?.toISOString(),
    updated_time: agent.updatedTime?.toISOString(),
  };
}

export function toolJson(tool: Tool): z.output<typeof toolSchema> {
  const { name, description, source } = tool;
  return {
    ...{ name, description, source },
    parameters_json: tool.parametersJson,
    needs_approval: tool.needsApproval,
  };
}
