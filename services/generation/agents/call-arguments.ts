import type { ValidateFunction } from "ajv/dist/2020.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Tool } from "../tools/tool.ts";

export type CallArguments =
  | { readonly ok: true; readonly input: Readonly<Record<string, unknown>> }
  /** `problem`: for the model, in words that help it to do better. */
  | { readonly ok: false; readonly problem: string };

/** Problems that are told at once: a model mends a few at a time. */
const mostProblems = 5;

/** Reads and checks the arguments of calls. */
export type CheckArguments = (tool: Tool, written: string) => CallArguments;

/**
 * Schemas come from tools, also from servers outside: keywords that are not known are ignored, and one that cannot be
 * compiled refuses the calls of its tool alone.
 */
export function createArgumentCheck(): CheckArguments {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, logger: false });
  const compiled = new Map<string, ValidateFunction | undefined>();
  const compile = ({ name, parameters }: Tool): ValidateFunction | undefined => {
    if (!compiled.has(name)) compiled.set(name, tryToCompile(ajv, parameters));
    return compiled.get(name);
  };
  return (tool, written) => {
    const input = readObject(written);
    if (input === undefined) {
      return {
        ok: false,
        problem: `The arguments of ${tool.name} are no JSON object. Write one that follows this schema: ${JSON.stringify(tool.parameters)}`,
      };
    }
    const validate = compile(tool);
    if (!validate)
      return { ok: false, problem: `The tool ${tool.name} cannot be called: its schema is not valid.` };
    if (validate(input)) return { ok: true, input };
    const problems = (validate.errors ?? [])
      .slice(0, mostProblems)
      .map(({ instancePath, message, params }) => {
        const where = instancePath === "" ? "the object" : instancePath.slice(1).replaceAll("/", ".");
        const extra = "additionalProperty" in params ? ` (${String(params["additionalProperty"])})` : "";
        return `${where} ${message ?? "is not valid"}${extra}`;
      });
    return {
      ok: false,
      problem: `The arguments of ${tool.name} are not valid: ${problems.join("; ")}. The schema: ${JSON.stringify(tool.parameters)}`,
    };
  };
}

function tryToCompile(ajv: Ajv2020, schema: Tool["parameters"]): ValidateFunction | undefined {
  const { $id: _, $schema: __, ...own } = schema;
  try {
    return ajv.compile(own);
  } catch (thrown) {
    // Told to the model: the schema is its tool's.
    if (thrown instanceof Error) return undefined;
    throw thrown;
  }
}

/**
 * The object that a model meant. Mended is only what can mean one thing: nothing at all, a code fence around it, commas
 * before a closing bracket, JSON written as a JSON string. What was cut off is not completed: the rest is not known.
 */
export function readObject(written: string): Record<string, unknown> | undefined {
  const bare = /^\s*```(?:json)?\s*\n?([\s\S]*?)\n?\s*```\s*$/i.exec(written)?.[1] ?? written;
  if (bare.trim() === "") return {};
  let value = parse(bare) ?? parse(withoutTrailingCommas(bare));
  if (typeof value === "string") value = parse(value);
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

/** Strings are stepped over whole, so that a comma in one is left alone. */
function withoutTrailingCommas(text: string): string {
  return text.replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/gs, (_, string?: string) => string ?? "");
}
