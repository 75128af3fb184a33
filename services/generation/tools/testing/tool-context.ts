import assert from "node:assert/strict";
import type { ToolContext, ToolOutcome, ToolSource } from "../tool.ts";

/** A turn of nobody's, for tests of tools that cite nothing. */
export function toolContext(signal: AbortSignal = new AbortController().signal): ToolContext {
  return {
    tenant: "default",
    owner: "somebody",
    filter: undefined,
    maxPassages: 8,
    cite: () => assert.fail("this tool has nothing to cite"),
    signal,
  };
}

/** Calls a tool as an agent does, by the name that it is listed with. */
export async function runTool(
  source: ToolSource,
  name: string,
  input: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): Promise<ToolOutcome> {
  const context = toolContext(signal);
  const { tools } = await source.tools(context.tenant, context.signal);
  const tool = tools.find((candidate) => candidate.name === name);
  assert(tool, `${name} is not among ${tools.map((candidate) => candidate.name).join(", ")}`);
  return tool.run(input, context);
}
