import type { DescMethod } from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { ServerConnection } from "./server-connection.ts";
import type { ServerPool } from "./server-pool.ts";

/** Carries each call to one of the servers of a pool; a call leaves only over a connection that is open. */
export function createBalancedTransport(pool: ServerPool): Transport {
  return {
    async unary(...call) {
      const server = await pool.choose(call[0]);
      const end = server.take();
      try {
        return await server.transport.unary(...call);
      } catch (thrown) {
        server.failed(call[0], thrown);
        throw thrown;
      } finally {
        end();
      }
    },
    async stream(...call) {
      const [method] = call;
      const server = await pool.choose(method);
      const end = server.take();
      // Who breaks off the reading of a stream tells it by the signal alone.
      call[1]?.addEventListener("abort", end, { once: true });
      try {
        const response = await server.transport.stream(...call);
        return { ...response, message: untilEnd(response.message, server, method, end) };
      } catch (thrown) {
        server.failed(method, thrown);
        end();
        throw thrown;
      }
    },
  };
}

async function* untilEnd<T>(
  messages: AsyncIterable<T>,
  server: ServerConnection,
  method: DescMethod,
  end: () => void,
): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (thrown) {
    server.failed(method, thrown);
    throw thrown;
  } finally {
    end();
  }
}
