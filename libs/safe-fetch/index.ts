export type { Resolve } from "./guarded-connector.ts";
export type { FetchedResponse, SafeFetch, SafeFetchOptions, SafeRequest } from "./safe-fetch.ts";
export { createSafeFetch } from "./safe-fetch.ts";
