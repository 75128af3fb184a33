import { invalidSetting, readSettingFile } from "@headwater/settings";
import type { ConnectionOptions } from "./connection.ts";

const setting = "HEADWATER_API_KEY_FILE";

/**
 * The key that was given, or the first one in the file that was. Entries of a gateway's own file of keys have a tenant
 * behind the key.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readApiKey({ apiKey, apiKeyFile }: ConnectionOptions): string | undefined {
  if (apiKeyFile === undefined) return apiKey;
  const [entry] = readSettingFile(setting, apiKeyFile)
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  const key = entry?.split(/\s/)[0];
  if (key === undefined) throw invalidSetting(setting, "the file holds no key");
  if (key.startsWith("sha256:"))
    throw invalidSetting(setting, "the file holds the digest of a key, and not the key");
  return key;
}
