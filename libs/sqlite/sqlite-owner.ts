import type { HeadwaterErrorOptions } from "@headwater/errors";

type Reason = HeadwaterErrorOptions["reason"];

/** Whose file it is, for what errors say. */
export interface SqliteOwner {
  /** For people: "document log". */
  readonly name: string;
  /** Below HEADWATER_DATA_DIR: "log/". */
  readonly folder: string;
  readonly reasons: {
    /** The file is damaged. */
    readonly corrupt: Reason;
    /** Another process holds it. */
    readonly busy: Reason;
    /** It has been removed. */
    readonly gone: Reason;
    readonly closed: Reason;
    /** A newer version of Headwater wrote it. */
    readonly formatNewer: Reason;
  };
}
