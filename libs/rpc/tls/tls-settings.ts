import type { readSettings } from "@headwater/settings";
import { invalidSetting, text } from "@headwater/settings";

/** Settings of a process that calls services and is not called by them. */
export const tlsClientSettings = {
  HEADWATER_TLS_DIR: text()
    .optional()
    .describe(
      "Folder with tls.crt, tls.key and ca.crt, PEM: gRPC between the services is TLS, and both sides show a certificate. Read anew when it changes. Unset: plain text",
    ),
};

/** Settings of every process that has a gRPC server. */
export const tlsSettings = {
  ...tlsClientSettings,
  HEADWATER_TLS_ALLOWED_CLIENTS: text()
    .optional()
    .describe(
      "Who may call this service: DNS or URI names in the callers' certificates, separated by commas; *: anyone whom ca.crt signed. Needed with HEADWATER_TLS_DIR",
    ),
};

export type TlsSettingValues = ReturnType<typeof readSettings<typeof tlsSettings>>;

/** How a service proves who it is, and whom it lets call. */
export interface TlsConfig {
  readonly folder: string;
  /** Names of which a caller's certificate has to bear one; "*": anyone whom the authority signed. */
  readonly allowedClients: ReadonlySet<string> | "*";
}

/**
 * @returns undefined where TLS is off
 * @throws HeadwaterError HW_SETTINGS_INVALID where one of the two settings is missing
 */
export function readTlsConfig(values: TlsSettingValues): TlsConfig | undefined {
  const { HEADWATER_TLS_DIR: folder, HEADWATER_TLS_ALLOWED_CLIENTS: allowed } = values;
  if (folder === undefined && allowed === undefined) return undefined;
  if (folder === undefined)
    throw invalidSetting(
      "HEADWATER_TLS_ALLOWED_CLIENTS",
      "needs HEADWATER_TLS_DIR: over plain text nobody proves who they are",
    );
  const names = (allowed ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (names.length === 0)
    throw invalidSetting(
      "HEADWATER_TLS_ALLOWED_CLIENTS",
      "has to say who may call: names in their certificates, or * for anyone whom ca.crt signed",
    );
  return { folder, allowedClients: names.includes("*") ? "*" : new Set(names) };
}

/** @returns undefined where TLS is off */
export function readTlsClientConfig(
  values: Pick<TlsSettingValues, "HEADWATER_TLS_DIR">,
): TlsConfig | undefined {
  const folder = values.HEADWATER_TLS_DIR;
  return folder === undefined ? undefined : { folder, allowedClients: new Set() };
}
