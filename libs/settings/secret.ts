import { invalidSetting } from "./invalid-setting.ts";
import { readSettingFile } from "./setting-file.ts";

/**
 * A secret that stands in the setting `name`, or in the file that the setting `<name>_FILE` names, such as a mounted
 * Kubernetes secret. White space around what the file holds is not part of it.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readSecret<Name extends string>(
  values: { readonly [Setting in Name | `${Name}_FILE`]?: string | undefined },
  name: Name,
): string | undefined {
  const secret = values[name];
  const file = values[`${name}_FILE`];
  if (file === undefined) return secret;
  if (secret !== undefined) throw invalidSetting(`${name}_FILE`, `set either this or ${name}, not both`);
  return readSettingFile(`${name}_FILE`, file).trim();
}
