import type { experimental } from "@grpc/grpc-js";
import { ChannelCredentials } from "@grpc/grpc-js";

/**
 * grpc-js forgets a TCP connection that comes about after its channel was closed: nobody reads it, and a process that
 * would end waits for it for ever. A connector that refuses by then makes grpc-js end the connection.
 */
export function refuseOnceDestroyed(connector: experimental.SecureConnector): experimental.SecureConnector {
  let destroyed = false;
  return {
    async connect(socket) {
      if (destroyed) throw new Error("the channel was closed");
      return await connector.connect(socket);
    },
    waitForReady: () => connector.waitForReady(),
    getCallCredentials: () => connector.getCallCredentials(),
    destroy() {
      destroyed = true;
      connector.destroy();
    },
  };
}

/** For channels of grpc-js in plain text. */
export class PlainChannelCredentials extends ChannelCredentials {
  readonly #plain = ChannelCredentials.createInsecure();

  override _isSecure(): boolean {
    return false;
  }

  override _equals(other: ChannelCredentials): boolean {
    return other instanceof PlainChannelCredentials;
  }

  override _createSecureConnector(
    ...parameters: Parameters<ChannelCredentials["_createSecureConnector"]>
  ): experimental.SecureConnector {
    return refuseOnceDestroyed(this.#plain._createSecureConnector(...parameters));
  }
}
