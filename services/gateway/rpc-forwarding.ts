import type {
  DescMessage,
  DescMethodStreaming,
  DescMethodUnary,
  DescService,
  MessageShape,
} from "@bufbuild/protobuf";
import type {
  ConnectError,
  ConnectRouter,
  ContextKey,
  HandlerContext,
  ServiceImpl,
  Transport,
} from "@connectrpc/connect";
import { createContextKey } from "@connectrpc/connect";
import { toConnectError } from "@headwater/client/error-details";
import type { HeadwaterError } from "@headwater/errors";
import { ConversationService } from "@headwater/proto/connect/headwater/v1/conversation";
import { GenerationService } from "@headwater/proto/connect/headwater/v1/generation";
import { IngestService } from "@headwater/proto/connect/headwater/v1/ingest";
import { JobService } from "@headwater/proto/connect/headwater/v1/job";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import type { Caller } from "./authentication.ts";
import { ownerOf, tenantOf } from "./authentication.ts";
import { serverDraining } from "./drain.ts";
import { toHeadwaterError } from "./http-error.ts";
import type { ObserveQuery, QueryKind } from "./query-observer.ts";
import { services } from "./upstream.ts";

/** Who calls, or why the call is refused; set before the call's body is read. */
export type Admitted = { readonly caller: Caller } | { readonly refused: HeadwaterError };

export const admittedKey: ContextKey<Admitted | undefined> = createContextKey<Admitted | undefined>(
  undefined,
);

/** Ends refused calls in the words of their own protocol, before their body is read. */
export function refuseUnadmitted(context: HandlerContext): void {
  const admitted = context.values.get(admittedKey);
  if (admitted && "refused" in admitted) throw toConnectError(admitted.refused);
}

/** Calls that the `rag_…` metrics count. */
const queries: ReadonlySet<DescMethodStreaming> = new Set([
  SearchService.method.search,
  GenerationService.method.answer,
  ConversationService.method.chat,
]);

/** Streams that would not end in time by themselves when the gateway stops, and that another gateway goes on with. */
const resumable: ReadonlySet<DescMethodStreaming> = new Set([
  IngestService.method.watch,
  ConversationService.method.chat,
  ConversationService.method.resumeTurn,
  JobService.method.watchJob,
]);

/**
 * Answers each method of the services by calling the same method of the service itself: messages, streams both ways,
 * deadline, cancellation and errors pass through; only tenant and owner are set, from the caller's credentials.
 *
 * @param draining ends streams that another gateway goes on with
 */
export function forwardServices(
  router: ConnectRouter,
  transport: Transport,
  observe: ObserveQuery,
  draining: AbortSignal,
): void {
  const forward = <Service extends DescService>(service: Service) => {
    const methods = service.methods.map((method) => [
      method.localName,
      method.methodKind === "unary"
        ? forwardUnary(transport, method as DescMethodUnary)
        : forwardStream(transport, method as DescMethodStreaming, observe, draining),
    ]);
    router.service(service, Object.fromEntries(methods) as ServiceImpl<Service>);
  };
  for (const { types } of services) for (const type of types) forward(type);
}

type AnyMessage = MessageShape<DescMessage>;

function forwardUnary(transport: Transport, method: DescMethodUnary) {
  return async (message: AnyMessage, context: HandlerContext) => {
    try {
      setIdentity(message, callerOf(context));
      const timeoutMs = context.timeoutMs();
      const response = await transport.unary(method, context.signal, timeoutMs, undefined, message);
      return response.message;
    } catch (thrown) {
      throw toWireError(thrown);
    }
  };
}

function forwardStream(
  transport: Transport,
  method: DescMethodStreaming,
  observe: ObserveQuery,
  draining: AbortSignal,
) {
  return async function* forward(input: AnyMessage | AsyncIterable<AnyMessage>, context: HandlerContext) {
    const leaving = new AbortController();
    // A stateless turn ends with its caller: there is nothing to go on with.
    const drains = resumable.has(method) && !("stateless" in input && input.stateless === true);
    const signals = [context.signal, leaving.signal, ...(drains ? [draining] : [])];
    try {
      const { message } = await transport.stream(
        method,
        AbortSignal.any(signals),
        context.timeoutMs(),
        undefined,
        ownMessages(input, callerOf(context)),
      );
      yield* queries.has(method) ? observe(kindOf(context), message) : message;
    } catch (thrown) {
      throw toWireError(drains && draining.aborted ? serverDraining() : thrown);
    } finally {
      leaving.abort();
    }
  };
}

async function* ownMessages(input: AnyMessage | AsyncIterable<AnyMessage>, caller: Caller) {
  if (!(Symbol.asyncIterator in input)) {
    setIdentity(input, caller);
    yield input;
    return;
  }
  for await (const message of input) {
    setIdentity(message, caller);
    yield message;
  }
}

function callerOf(context: HandlerContext): Caller {
  const admitted = context.values.get(admittedKey);
  if (admitted && "caller" in admitted) return admitted.caller;
  throw new TypeError("a call was let in without a caller");
}

/** Writes the caller's tenant and owner into a request, or into the document that a piece of a push carries. */
function setIdentity(message: AnyMessage, caller: Caller): void {
  const holder = "part" in message ? documentOf(message.part) : message;
  if (holder && "tenant" in holder && typeof holder.tenant === "string")
    holder.tenant = tenantOf(caller, holder.tenant);
  if (holder && "owner" in holder && typeof holder.owner === "string")
    holder.owner = ownerOf(caller, holder.owner);
}

function documentOf(part: unknown): object | undefined {
  if (typeof part !== "object" || part === null || !("value" in part)) return undefined;
  return typeof part.value === "object" && part.value !== null ? part.value : undefined;
}

function kindOf(context: HandlerContext): QueryKind {
  if (context.protocolName === "grpc") return "grpc";
  return context.protocolName === "grpc-web" ? "grpc_web" : "connect";
}

/** What the service said, without the headers of its own call; nothing of our own inside. */
function toWireError(thrown: unknown): ConnectError {
  return toConnectError(toHeadwaterError(thrown));
}
