import { invalidArgument } from "@headwater/errors";

/** A variable that may, or has to, stand in a prompt. */
export interface PromptVariable {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
}

/** {{name}}, with blanks inside of the braces; nothing else is a template, so that code in a prompt stays as it is. */
const place = /\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}/g;

/** Names of the variables in a text, in order, each once. */
export function variablesOf(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(place), ([, name = ""]) => name))];
}

/**
 * Checks a new version of a prompt that Headwater fills in itself.
 *
 * @throws HeadwaterError INVALID_ARGUMENT, HW_PROMPT_VARIABLES_INVALID
 */
export function checkVariables(text: string, allowed: readonly PromptVariable[]): void {
  const used = variablesOf(text);
  const known = allowed.map(({ name }) => name);
  const unknown = used.filter((name) => !known.includes(name));
  const missing = allowed.filter(({ name, required }) => required && !used.includes(name));
  if (unknown.length === 0 && missing.length === 0) return;
  const problems = [
    ...unknown.map((name) => `{{${name}}} is not known`),
    ...missing.map(({ name }) => `{{${name}}} is missing`),
  ];
  throw invalidArgument(
    "HW_PROMPT_VARIABLES_INVALID",
    `The variables of the prompt are not right: ${problems.join(", ")}.`,
    known.length === 0
      ? "Use no variables."
      : `Variables are: ${known.map((name) => `{{${name}}}`).join(", ")}.`,
  );
}

/**
 * Fills in the variables, once: a value that looks like a variable stays as it is.
 *
 * @throws HeadwaterError INVALID_ARGUMENT, HW_PROMPT_VARIABLES_INVALID where a value has no variable, or a variable no value
 */
export function renderTemplate(text: string, values: Readonly<Record<string, string>>): string {
  const used = variablesOf(text);
  const missing = used.filter((name) => !Object.hasOwn(values, name));
  const unused = Object.keys(values).filter((name) => !used.includes(name));
  if (missing.length > 0 || unused.length > 0) {
    const problems = [
      ...missing.map((name) => `{{${name}}} has no value`),
      ...unused.map((name) => `"${name}" is no variable of it`),
    ];
    throw invalidArgument(
      "HW_PROMPT_VARIABLES_INVALID",
      `The values do not fit the prompt: ${problems.join(", ")}.`,
      "Send one value for each variable.",
    );
  }
  return fillIn(text, values);
}

/** Fills in what there is a value for; values without a place are left out. */
export function fillIn(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(place, (whole, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? whole) : whole,
  );
}
