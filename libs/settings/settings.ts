import { HeadwaterError, status } from "@headwater/errors";
import { z } from "zod";

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads settings from environment variables and checks them. Every mistake is told at once, with the name, the value
 * and what is allowed; values of names that look secret are not shown.
 *
 * @param shape one zod schema a variable, keyed by the variable's full name (`HEADWATER_…`); give each a
 *   `.describe()` with unit and consequence, and a `.default()`. Empty strings count as unset.
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readSettings<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Environment = process.env,
): z.output<z.ZodObject<Shape>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(shape)) {
    const value = env[name];
    if (value !== undefined && value.trim() !== "") given[name] = value.trim();
  }
  const parsed = z.object(shape).safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "");
    return `${name}=${shown(name, given[name])}: ${issue.message}`;
  });
  throw new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_SETTINGS_INVALID",
    message: `${lines.length} setting${lines.length === 1 ? " is" : "s are"} not valid:\n  ${lines.join("\n  ")}`,
    action: "Correct the environment variables named above and start again.",
  });
}

function shown(name: string, value: string | undefined): string {
  if (value === undefined) return "(unset)";
  return /KEY|TOKEN|SECRET|PASSWORD/.test(name) ? "(hidden)" : JSON.stringify(value);
}

/** A whole number in [min, max]. */
export function integer(min: number, max: number) {
  return z
    .string()
    .regex(/^-?\d+$/, "not a whole number")
    .transform(Number)
    .pipe(z.number().min(min, `below ${min}`).max(max, `above ${max}`));
}

/** A number in [min, max]. */
export function decimal(min: number, max: number) {
  return z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, "not a number")
    .transform(Number)
    .pipe(z.number().min(min, `below ${min}`).max(max, `above ${max}`));
}

/** true or false, also 1 and 0. */
export function flag() {
  return z
    .enum(["true", "false", "1", "0"], { error: "allowed: true, false, 1, 0" })
    .transform((value) => value === "true" || value === "1");
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `allowed: ${words.join(", ")}` });
}

/** host:port, IPv6 in brackets. Port 0 lets the system choose. */
export function address() {
  return z.string().regex(/^(\[[0-9a-fA-F:]+\]|[^:[\]\s]+):\d{1,5}$/, "not of the form host:port");
}

/** Any text. */
export function text() {
  return z.string();
}
