import { connect } from "node:net";
import { patienceMs } from "./malformed-input.ts";

/** What a server did with bytes on a connection of their own. */
export interface Exchange {
  readonly received: Buffer;
  /** Who ended the connection; "silence": nobody did, and we had to. */
  readonly closedBy: "server" | "us" | "silence";
}

/**
 * Sends bytes, and reads until the server closes, until `complete` says that the answer is there, or until patience
 * ends.
 *
 * @param pieces sent one after the other, with a pause between them
 * @param end "half-close": we close our direction after the last piece; "leave": the connection is cut at once;
 *   "stay": nothing
 */
export function exchange(
  address: string,
  pieces: readonly Uint8Array[],
  options: {
    readonly end?: "half-close" | "leave" | "stay";
    readonly complete?: (received: Buffer) => boolean;
    readonly pauseMs?: number;
    /** Milliseconds to wait for the end; less than patience for what may rightly stay open. */
    readonly listenMs?: number;
  } = {},
): Promise<Exchange> {
  const [host, port] = address.split(":");
  const { end = "stay", complete = () => false, pauseMs = 5, listenMs = patienceMs } = options;
  return new Promise((resolve) => {
    const socket = connect(Number(port), host);
    let received: Buffer = Buffer.alloc(0);
    let closedBy: Exchange["closedBy"] = "server";
    const timers: ReturnType<typeof setTimeout>[] = [];
    const leave = (how: Exchange["closedBy"]) => {
      closedBy = how;
      socket.destroy();
    };
    timers.push(setTimeout(() => leave("silence"), listenMs));
    for (const [index, piece] of pieces.entries()) {
      timers.push(
        setTimeout(() => {
          if (!socket.writable) return;
          socket.write(piece);
          if (index < pieces.length - 1) return;
          if (end === "half-close") socket.end();
          if (end === "leave") leave("us");
        }, index * pauseMs),
      );
    }
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (complete(received)) leave("us");
    });
    // A reset is a close like any other here.
    socket.on("error", () => {});
    socket.on("close", () => {
      for (const timer of timers) clearTimeout(timer);
      resolve({ received, closedBy });
    });
  });
}
