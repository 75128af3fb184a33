import { status } from "@headwater/errors";

/** What scripts can act on; `headwater --help` prints the table. */
export const exitCode = {
  ok: 0,
  /** Something went wrong; the message says what. */
  failed: 1,
  /** The command line or a setting is wrong. */
  usage: 2,
  /** The server cannot be reached, or is not ready. */
  unreachable: 3,
  /** The command ran, and some documents could not be taken or indexed. */
  partial: 4,
  /** The answer is that the documents do not say, or a search without hits. */
  nothingFound: 5,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** @param code gRPC code of an error that ended a command */
export function exitCodeOf(code: number): ExitCode {
  switch (code) {
    case status.INVALID_ARGUMENT:
    case status.OUT_OF_RANGE:
      return exitCode.usage;
    case status.UNAVAILABLE:
    case status.RESOURCE_EXHAUSTED:
      return exitCode.unreachable;
    default:
      return exitCode.failed;
  }
}
