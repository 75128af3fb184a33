export type { AddressListener, AddressWatchOptions, Lookup } from "./address-watch.ts";
export { AddressWatch } from "./address-watch.ts";
export type { RpcClient, RpcClientOptions } from "./client.ts";
export { createRpcClient } from "./client.ts";
export { untilDraining } from "./draining.ts";
export { fromClientError, toServerError } from "./error-mapping.ts";
export type { PageSizes, TimePlace } from "./paging.ts";
export {
  checkPageSize,
  decodePageToken,
  decodeTimePlace,
  encodePageToken,
  timePlaceOf,
  toPage,
} from "./paging.ts";
export { notReadyKey, readNotReady } from "./readiness-trailer.ts";
export { isNobodyThere } from "./repeat-middleware.ts";
export { checkOwner, checkTenant, checkText, checkUuid, checkWhose, defaultName } from "./request-checks.ts";
export type { RpcServer, RpcServerOptions, ServedService } from "./server.ts";
export { livenessService, maxMessageBytes, servedService, startRpcServer } from "./server.ts";
export type { RpcContext } from "./server-middleware.ts";
export { requestIdKey } from "./server-middleware.ts";
export type { RpcConfig, RpcSettingValues } from "./settings.ts";
export { readRpcConfig, rpcSettings } from "./settings.ts";
export { openTls, TlsIdentity } from "./tls/tls-identity.ts";
export type { TlsConfig } from "./tls/tls-settings.ts";
export { readTlsClientConfig, readTlsConfig, tlsClientSettings, tlsSettings } from "./tls/tls-settings.ts";
