import type { DescMessage, DescMethodStreaming, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import type { StreamResponse, Transport } from "@connectrpc/connect";
import { isUnseenCall } from "@headwater/client/unseen-call";
import type { PushResponse } from "@headwater/proto/connect/headwater/v1/ingest";
import { IngestService, PushRequestSchema } from "@headwater/proto/connect/headwater/v1/ingest";
import { RetryBudget } from "@headwater/resilience";
import { Attempts } from "./attempts.ts";
import type { AnyMessage, StreamCall } from "./continuation.ts";
import { continuationOf, hasNoSideEffects } from "./continuation.ts";
import { isLostCall } from "./lost-call.ts";
import { resumedPush } from "./resumed-push.ts";

export interface ResilientTransportOptions {
  /** Carries one attempt. */
  readonly transport: Transport;
  /** Calls that may be under way at once: a server that dies may take all of them with it. */
  readonly maxActive: number;
  /** Told of each call that is made again. */
  readonly onRepeat: (method: string) => void;
}

/**
 * Carries calls on when their server goes: a call without side effects is made again as long as nothing was answered,
 * within a retry budget; a stream that can go on does so where it was, see `continuationOf` and `resumedPush`. A call
 * that no server has looked at is made again whatever it is. All others fail.
 */
export function createResilientTransport(options: ResilientTransportOptions): Transport {
  const { transport, onRepeat } = options;
  const budget = new RetryBudget(options.maxActive);

  /** @param open one attempt */
  async function* continued(
    call: StreamCall,
    open: (call: StreamCall) => AsyncIterable<AnyMessage>,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<AnyMessage> {
    const continuation = continuationOf(call);
    const attempts = new Attempts({ budget, signal, patient: continuation.patient });
    let current = continuation.first;
    while (true) {
      try {
        for await (const answer of open(current)) {
          attempts.answered();
          const told = continuation.receive(answer);
          if (told) yield told;
        }
        return;
      } catch (thrown) {
        const unseen = isUnseenCall(thrown);
        if (!unseen && !isLostCall(thrown, signal)) throw thrown;
        const next = unseen ? current : continuation.next();
        if (!next || !(await attempts.next())) throw thrown;
        current = next;
        onRepeat(current.method.name);
      }
    }
  }

  return {
    async unary(method, signal, ...rest) {
      const attempts = new Attempts({ budget, signal, patient: false });
      while (true) {
        try {
          const response = await transport.unary(method, signal, ...rest);
          attempts.answered();
          return response;
        } catch (thrown) {
          const may = isUnseenCall(thrown) || (hasNoSideEffects(method) && isLostCall(thrown, signal));
          if (!may || !(await attempts.next())) throw thrown;
          onRepeat(method.name);
        }
      }
    },

    async stream<I extends DescMessage, O extends DescMessage>(
      method: DescMethodStreaming<I, O>,
      signal: AbortSignal | undefined,
      timeoutMs: number | undefined,
      header: HeadersInit | undefined,
      input: AsyncIterable<MessageInitShape<I>>,
      contextValues?: Parameters<Transport["stream"]>[5],
    ): Promise<StreamResponse<I, O>> {
      const until = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
      const open = async function* (asked: DescMethodStreaming, messages: AsyncIterable<AnyMessage>) {
        // Whole milliseconds: of a fraction a gRPC server reads the digits behind the point alone.
        const left = until === undefined ? undefined : Math.max(1, Math.ceil(until - performance.now()));
        const response = await transport.stream(asked, signal, left, header, messages, contextValues);
        yield* response.message;
      };
      let message: AsyncIterable<AnyMessage>;
      if (isSame(method, IngestService.method.push)) {
        message = resumedPush({
          documents: allOf(
            PushRequestSchema,
            input as AsyncIterable<MessageInitShape<typeof PushRequestSchema>>,
          ),
          open: (documents) => open(method, documents) as AsyncIterable<PushResponse>,
          attempts: new Attempts({ budget, signal, patient: true }),
          signal,
          onRepeat: () => onRepeat(method.name),
        });
      } else if (method.methodKind === "server_streaming") {
        const call = { method, request: await onlyOf(method.input, input) };
        message = continued(call, (current) => open(current.method, once(current.request)), signal);
      } else return await transport.stream(method, signal, timeoutMs, header, input, contextValues);
      return {
        ...{
          stream: true,
          service: method.parent,
          method,
          message: message as AsyncIterable<MessageShape<O>>,
        },
        // Those of the attempts are nobody's.
        ...{ header: new Headers(), trailer: new Headers() },
      };
    },
  };
}

function isSame(method: DescMethodStreaming, other: DescMethodStreaming): boolean {
  return method === other;
}

async function* once<T>(message: T): AsyncGenerator<T> {
  yield message;
}

async function* allOf<Desc extends DescMessage>(
  schema: Desc,
  messages: AsyncIterable<MessageInitShape<Desc>>,
): AsyncGenerator<MessageShape<Desc>> {
  for await (const message of messages) yield create(schema, message);
}

/** The request of a call that has one. */
async function onlyOf<Desc extends DescMessage>(
  schema: Desc,
  messages: AsyncIterable<MessageInitShape<Desc>>,
): Promise<MessageShape<Desc>> {
  for await (const message of messages) return create(schema, message);
  throw new TypeError("a call without a request");
}
