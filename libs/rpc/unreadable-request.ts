import { HeadwaterError, status } from "@headwater/errors";
import type { CompatServiceDefinition, ServerMiddleware } from "nice-grpc";

/** Stands for a request whose bytes are not its message, until the call is refused. */
class UnreadableRequest {
  readonly why: unknown;

  constructor(why: unknown) {
    this.why = why;
  }
}

interface Codec {
  decode(bytes: Uint8Array): unknown;
}

/**
 * The same service, but for a request that cannot be decoded: by itself, grpc-js answers it with INTERNAL and without a
 * reason, as if it were a fault of the server's. Belongs together with `refuseUnreadable`.
 */
export function decodingAnything<Service extends CompatServiceDefinition>(definition: Service): Service {
  if (!("methods" in definition) || typeof definition.methods !== "object") return definition;
  const methods = Object.entries(definition.methods as Record<string, { requestType: Codec }>);
  const tolerant = methods.map(([name, method]) => {
    const { requestType } = method;
    const decode = (bytes: Uint8Array) => {
      try {
        return requestType.decode(bytes);
      } catch (thrown) {
        return new UnreadableRequest(thrown);
      }
    };
    return [name, { ...method, requestType: { ...requestType, decode } }];
  });
  return { ...definition, methods: Object.fromEntries(tolerant) };
}

/** Ends calls whose request could not be decoded: INVALID_ARGUMENT, HW_MESSAGE_INVALID. */
export const refuseUnreadable: ServerMiddleware = (call, context) => {
  if (call.requestStream) return call.next(readable(call.request), context);
  checkReadable(call.request);
  return call.next(call.request, context);
};

async function* readable<Request>(requests: AsyncIterable<Request>): AsyncGenerator<Request> {
  for await (const request of requests) {
    checkReadable(request);
    yield request;
  }
}

function checkReadable(request: unknown): void {
  if (!(request instanceof UnreadableRequest)) return;
  throw new HeadwaterError({
    code: status.INVALID_ARGUMENT,
    reason: "HW_MESSAGE_INVALID",
    message: "The request is not a message of this method, or holds a number beyond 2^53.",
    action: "Encode it by the contract in proto/headwater/v1.",
    cause: request.why,
  });
}
