import type { Transport } from "@connectrpc/connect";
import type { ServerPool } from "./server-pool.ts";

/** Carries each call to one of the servers of a pool; a call leaves only over a connection that is open. */
export function createBalancedTransport(pool: ServerPool): Transport {
  return {
    async unary(...call) {
      const server = await pool.choose();
      const end = server.take();
      try {
        return await server.transport.unary(...call);
      } finally {
        end();
      }
    },
    async stream(...call) {
      const server = await pool.choose();
      const end = server.take();
      // Who breaks off the reading of a stream tells it by the signal alone.
      call[1]?.addEventListener("abort", end, { once: true });
      try {
        const response = await server.transport.stream(...call);
        return { ...response, message: untilEnd(response.message, end) };
      } catch (thrown) {
        end();
        throw thrown;
      }
    },
  };
}

async function* untilEnd<T>(messages: AsyncIterable<T>, end: () => void): AsyncGenerator<T> {
  try {
    yield* messages;
  } finally {
    end();
  }
}
