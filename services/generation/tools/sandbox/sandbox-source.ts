import type { Tool, ToolContext, ToolOutcome, ToolSource } from "../tool.ts";
import type { SandboxSettings } from "../tool-settings.ts";
import type { ProgramResult } from "./program.ts";
import { Sandbox } from "./sandbox.ts";

const maxCodeLength = 65_536;

/** The tool `run_code`. */
export function createSandboxSource(settings: SandboxSettings): ToolSource {
  const sandbox = new Sandbox(settings);
  const { memoryMb, timeoutMs, maxOutputLength } = settings;
  const tool: Tool = {
    name: "run_code",
    description:
      "Runs a JavaScript program (ES2023, a script) and gives what it printed with console.log, and the value of its " +
      "last expression. It has no network, no files, no modules and no timers; data has to stand in the program. It " +
      `may take ${timeoutMs / 1000} seconds, ${memoryMb} MiB and print ${maxOutputLength} characters.`,
    parameters: {
      type: "object",
      properties: { code: { type: "string", minLength: 1, maxLength: maxCodeLength } },
      required: ["code"],
      additionalProperties: false,
    },
    source: "sandbox",
    needsApproval: false,
    // What a program prints may be a document's text that the model put into it.
    untrusted: true,
    async run(input, context: ToolContext): Promise<ToolOutcome> {
      return describe(await sandbox.run(String(input["code"]), context.signal), settings);
    },
  };
  return {
    tools: async () => ({ tools: [tool], unavailable: [] }),
    close: () => sandbox.close(),
  };
}

function describe(result: ProgramResult, settings: SandboxSettings): ToolOutcome {
  const value = result.value === "" ? "" : `Value: ${result.value}\n`;
  const printed = result.output + value;
  const stopped = whyStopped(result, settings);
  if (stopped !== undefined) return { text: `${printed}${stopped}`, failed: true };
  return { text: printed === "" ? "The program ended without output." : printed.trimEnd(), failed: false };
}

function whyStopped(
  { stop, thrown }: ProgramResult,
  { memoryMb, timeoutMs, maxOutputLength }: SandboxSettings,
): string | undefined {
  switch (stop) {
    case "threw":
      return `The program threw ${thrown}`;
    case "timeout":
      return `The program was stopped after ${timeoutMs / 1000} seconds.`;
    case "memory":
      return `The program needs more than ${memoryMb} MiB.`;
    case "output":
      return `The program printed more than ${maxOutputLength} characters and was stopped.`;
    case "crash":
      return "The program brought the interpreter down.";
    case undefined:
      return undefined;
  }
}
