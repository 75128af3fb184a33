import { HeadwaterError, status } from "@headwater/errors";
import type { RpcContext } from "@headwater/rpc";
import type { CallContext } from "nice-grpc";

export type DoubleContext = CallContext & RpcContext;

/** Called at the start of each call of a double: notes who calls, and throws what the word asks for. */
export type EnterDouble = (
  word: string,
  request: { readonly tenant: string; readonly owner?: string },
  context: DoubleContext,
) => Promise<void>;

/** When everything in the doubles happened. */
export const doubleTime = new Date("2026-11-01T12:00:00Z");

/** What a double says of something that it does not have. */
export function notFound(reason: `HW_${string}`, what: string): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason,
    message: `There is no ${what} of this id.`,
    action: "Check the id.",
  });
}
