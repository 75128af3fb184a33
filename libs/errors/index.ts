export type { HeadwaterErrorOptions } from "./headwater-error.ts";
export { HeadwaterError, invalidArgument } from "./headwater-error.ts";
export { importPart } from "./import-part.ts";
export type { Code } from "./status.ts";
export { codeOf, httpStatus, status, statusName } from "./status.ts";
export { isTlsFault } from "./tls-fault.ts";
