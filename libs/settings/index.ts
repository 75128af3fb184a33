export { invalidSetting } from "./invalid-setting.ts";
export { readPemFile } from "./pem-file.ts";
export { readSecret } from "./secret.ts";
export { readSettingFile } from "./setting-file.ts";
export type { Environment } from "./settings.ts";
export { address, choice, decimal, flag, integer, readSettings, text } from "./settings.ts";
