import { readFileSync } from "node:fs";
import { invalidSetting } from "@headwater/settings";
import { parse } from "yaml";

/**
 * What a file of settings holds, in YAML or JSON; not checked yet.
 *
 * @param setting that names the file
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readSettingsFile(setting: string, path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw invalidSetting(setting, "the file cannot be read", cause);
  }
  try {
    // Pretty errors would quote the file, in which somebody may have written a key all the same.
    return parse(text, { prettyErrors: false });
  } catch {
    throw invalidSetting(setting, `${path} is neither YAML nor JSON`);
  }
}
