import { once } from "node:events";
import type { experimental } from "@grpc/grpc-js";
import { CallCredentials, ChannelCredentials } from "@grpc/grpc-js";
import { refuseOnceDestroyed } from "../plain-credentials.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** For channels of grpc-js: each connection begins with what the certificate files hold then. */
export class IdentityChannelCredentials extends ChannelCredentials {
  readonly #identity: TlsIdentity;
  readonly #serverName: string;

  constructor(identity: TlsIdentity, serverName: string) {
    super();
    this.#identity = identity;
    this.#serverName = serverName;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return (
      other instanceof IdentityChannelCredentials &&
      other.#identity === this.#identity &&
      other.#serverName === this.#serverName
    );
  }

  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials = CallCredentials.createEmpty(),
  ): experimental.SecureConnector {
    return refuseOnceDestroyed({
      connect: async (socket) => {
        const secured = this.#identity.connect({ socket }, this.#serverName);
        const left = new AbortController();
        secured.once("close", () => left.abort());
        await once(secured, "secureConnect", { signal: left.signal });
        return { socket: secured, secure: true };
      },
      waitForReady: () => Promise.resolve(),
      getCallCredentials: () => callCredentials,
      destroy: () => {},
    });
  }
}
