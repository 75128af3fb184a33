import { invalidSetting, readSettingFile } from "@headwater/settings";
import { parse } from "yaml";

/**
 * What a file of settings holds, in YAML or JSON; not checked yet.
 *
 * @param setting that names the file
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readSettingsFile(setting: string, path: string): unknown {
  const text = readSettingFile(setting, path);
  try {
    // Pretty errors would quote the file, in which somebody may have written a key all the same.
    return parse(text, { prettyErrors: false });
  } catch {
    throw invalidSetting(setting, `${path} is neither YAML nor JSON`);
  }
}
