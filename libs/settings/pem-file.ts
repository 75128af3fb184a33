import { invalidSetting } from "./invalid-setting.ts";
import { readSettingFile } from "./setting-file.ts";

/**
 * Certificates or a key in PEM, in the file that the setting `name` names.
 *
 * @returns undefined where the setting is not set
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID where the file cannot be read or holds no PEM
 */
export function readPemFile<Name extends string>(
  values: { readonly [Setting in Name]?: string | undefined },
  name: Name,
): string | undefined {
  const file = values[name];
  if (file === undefined) return undefined;
  const pem = readSettingFile(name, file);
  // Node would take it, and then trust nobody without a word of why.
  if (!pem.includes("-----BEGIN ")) throw invalidSetting(name, "the file holds nothing in PEM");
  return pem;
}
