import { randomUUID } from "node:crypto";
import type { DescMessage, DescMethodStreaming, MessageShape } from "@bufbuild/protobuf";
import { create, isMessage } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  ChatRequestSchema,
  ChatResponseSchema,
  ConversationService,
  ResumeTurnRequestSchema,
  ResumeTurnResponseSchema,
} from "@headwater/proto/connect/headwater/v1/conversation";
import { WatchRequestSchema } from "@headwater/proto/connect/headwater/v1/ingest";
import { JobService } from "@headwater/proto/connect/headwater/v1/job";
import { SearchRequestSchema, SearchResponseSchema } from "@headwater/proto/connect/headwater/v1/search";

export type AnyMessage = MessageShape<DescMessage>;

/** A call with one request and a stream of answers. */
export interface StreamCall {
  readonly method: DescMethodStreaming;
  readonly request: AnyMessage;
}

/** How a stream goes on with another server after its own is gone, so that the caller misses nothing. */
export interface Continuation {
  /** Made in place of what the caller asked for. */
  readonly first: StreamCall;
  /** It costs nobody anything to go on: tried for as long as a pod may take to be replaced, not a few times. */
  readonly patient: boolean;
  /** Each answer of the server becomes one for the caller; undefined: the caller has it already. */
  receive(answer: AnyMessage): AnyMessage | undefined;
  /** The call that goes on after what was received; undefined: there is none. */
  next(): StreamCall | undefined;
}

/** How a call goes on, by what it asks for. */
export function continuationOf(call: StreamCall): Continuation {
  const { method, request } = call;
  if (isMessage(request, SearchRequestSchema)) return continueSearch(call);
  if (isMessage(request, WatchRequestSchema)) return continueWatch(call, request);
  if (isMessage(request, ResumeTurnRequestSchema)) return continueTurn(call, request);
  if (isMessage(request, ChatRequestSchema) && !request.stateless) return continueChat(call, request);
  if (method === JobService.method.watchJob)
    return { first: call, patient: true, receive: (answer) => answer, next: () => call };
  return repeatUntilAnswered(call);
}

export function hasNoSideEffects({ idempotency }: { readonly idempotency: number }): boolean {
  return idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

/** Begins anew, as long as the caller has got nothing. */
function repeatUntilAnswered(call: StreamCall): Continuation {
  let answered = false;
  return {
    first: call,
    patient: false,
    receive(answer) {
      answered = true;
      return answer;
    },
    next: () => (answered || !hasNoSideEffects(call.method) ? undefined : call),
  };
}

/**
 * Searches anew: a later stage replaces the earlier ones, so the stages that the caller has are left out, but for the
 * last, which comes again. So the last hits that a caller reads and the summary are always of the same search.
 */
function continueSearch(call: StreamCall): Continuation {
  let last = 0;
  return {
    first: call,
    patient: false,
    receive(answer) {
      if (!isMessage(answer, SearchResponseSchema) || answer.event.case !== "hits") return answer;
      const { stage } = answer.event.value;
      if (stage < last) return undefined;
      last = stage;
      return answer;
    },
    next: () => call,
  };
}

/** Clocks of two servers, and a change on its way, may be so many milliseconds apart. */
const clockSkewMs = 60_000;

/** Asks for what has changed since shortly before the server went; a state that the caller knows may come again. */
function continueWatch(call: StreamCall, request: MessageShape<typeof WatchRequestSchema>): Continuation {
  let answered = false;
  return {
    first: call,
    patient: true,
    receive(answer) {
      answered = true;
      return answer;
    },
    next() {
      // Of a stream that is told to begin with the present, nothing has come: it begins once more.
      if (!answered && !request.changesOnly) return call;
      const changedSince = timestampFromMs(Date.now() - clockSkewMs);
      return {
        ...call,
        request: create(WatchRequestSchema, { ...request, changesOnly: false, changedSince }),
      };
    },
  };
}

/** Resumes after the last event that was received. */
function continueTurn(call: StreamCall, request: MessageShape<typeof ResumeTurnRequestSchema>): Continuation {
  let { afterSequence } = request;
  return {
    first: call,
    patient: true,
    receive(answer) {
      if (isMessage(answer, ResumeTurnResponseSchema) && answer.event) afterSequence = answer.event.sequence;
      return answer;
    },
    next: () => ({ ...call, request: create(ResumeTurnRequestSchema, { ...request, afterSequence }) }),
  };
}

/** Resumes the turn; while it is not known, its key makes sure that asking again begins no second one. */
function continueChat(call: StreamCall, request: MessageShape<typeof ChatRequestSchema>): Continuation {
  const { tenant, owner } = request;
  const idempotencyKey = request.idempotencyKey || randomUUID();
  const first = { ...call, request: create(ChatRequestSchema, { ...request, idempotencyKey }) };
  let turnId = "";
  let afterSequence = 0n;
  return {
    first,
    patient: true,
    receive(answer) {
      const event = isMessage(answer, ResumeTurnResponseSchema) ? answer.event : answer;
      if (!isMessage(event, ChatResponseSchema) || event.sequence <= afterSequence) return undefined;
      afterSequence = event.sequence;
      if (event.event.case === "started") turnId = event.event.value.turnId;
      return event;
    },
    next() {
      if (turnId === "") return first;
      const resumed = create(ResumeTurnRequestSchema, { tenant, owner, turnId, afterSequence });
      return { method: ConversationService.method.resumeTurn, request: resumed };
    },
  };
}
