import { readFileSync } from "node:fs";
import { invalidSetting } from "./invalid-setting.ts";

/**
 * What a file holds that the setting `name` names.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readSettingFile(name: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw invalidSetting(name, "the file cannot be read", cause);
  }
}
