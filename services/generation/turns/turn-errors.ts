import type { Code } from "@headwater/errors";
import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type { TurnError } from "@headwater/proto/services/headwater/v1/conversation";

export function unknownTurn(): HeadwaterError {
  return new HeadwaterError({
    code: status.NOT_FOUND,
    reason: "HW_TURN_UNKNOWN",
    message: "There is no turn of that id (any more).",
    action: "Read the messages of its conversation: an answer stays there when its turn is forgotten.",
  });
}

export function sequenceUnknown(asked: number, last: number): HeadwaterError {
  return invalidArgument(
    "HW_SEQUENCE_UNKNOWN",
    `The turn has ${last} events as yet, and ${asked} are said to be read.`,
    "Send the sequence of the last event that was read, or 0.",
  );
}

export function turnActive(turnId: string): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_TURN_ACTIVE",
    message: `The conversation is in the middle of a turn: ${turnId}.`,
    action: "Follow that turn with ResumeTurn, or end it with CancelTurn.",
  });
}

/** The process that answered is gone, or is going. */
export function turnLost(): HeadwaterError {
  return new HeadwaterError({
    code: status.UNAVAILABLE,
    reason: "HW_TURN_LOST",
    message: "The process that answered was stopped in the middle of the turn.",
    action: "Send the message again.",
  });
}

export function callNotWaiting(): HeadwaterError {
  return new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_CALL_NOT_WAITING",
    message: "No such tool call waits for a decision (any more).",
    action: "It was decided before, its deadline has passed, or its turn has ended.",
  });
}

export function toTurnError(error: HeadwaterError): TurnError {
  const { reason, message, action } = error;
  const code: Code = error.code;
  return { reason, message, action, code };
}
