import { invalidArgument } from "@headwater/errors";

/** Which prompt a request means. */
export interface PromptReference {
  readonly name: string;
  /** A label, a version, or neither: "production". */
  readonly label: string | undefined;
  readonly version: number | undefined;
}

export const productionLabel = "production";

const namePattern = /^[a-z0-9._-]{1,128}$/;
const labelPattern = /^(?=.*[a-z])[a-z0-9._-]{1,64}$/;
/** Of an `integer` column. */
export const maxVersion = 2 ** 31 - 1;

/** @throws HeadwaterError INVALID_ARGUMENT, HW_PROMPT_NAME_INVALID */
export function checkPromptName(name: string): string {
  if (namePattern.test(name)) return name;
  throw invalidArgument("HW_PROMPT_NAME_INVALID", "A prompt's name is 1 to 128 of a-z 0-9 . _ and -");
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_PROMPT_LABEL_INVALID */
export function checkPromptLabel(label: string): string {
  if (labelPattern.test(label)) return label;
  throw invalidArgument(
    "HW_PROMPT_LABEL_INVALID",
    "A prompt's label is 1 to 64 of a-z 0-9 . _ and -, with a letter, since digits alone are a version.",
  );
}

/** @throws HeadwaterError INVALID_ARGUMENT, HW_PROMPT_VERSION_INVALID */
export function checkPromptVersion(version: number): number {
  if (version <= maxVersion) return version;
  throw invalidArgument("HW_PROMPT_VERSION_INVALID", `A prompt's version is at most ${maxVersion}.`);
}

/**
 * Reads "name", "name@label" or "name@version".
 *
 * @throws HeadwaterError INVALID_ARGUMENT
 */
export function readPromptReference(reference: string): PromptReference {
  const at = reference.indexOf("@");
  const name = checkPromptName(at === -1 ? reference : reference.slice(0, at));
  if (at === -1) return { name, label: undefined, version: undefined };
  const place = reference.slice(at + 1);
  if (/^\d{1,10}$/.test(place)) return { name, label: undefined, version: checkPromptVersion(Number(place)) };
  return { name, label: checkPromptLabel(place), version: undefined };
}
