import { ServerCredentials } from "@grpc/grpc-js";
import { markClients } from "./allowed-clients.ts";
import type { TlsIdentity } from "./tls-identity.ts";

/** Milliseconds for a handshake; Node would hold a connection that says nothing for two minutes. */
const handshakeTimeoutMs = 10_000;

/**
 * For servers of grpc-js: TLS with a client certificate of the trusted authority, each call by a client who is allowed,
 * each connection with what the certificate files hold when it begins.
 */
export class IdentityServerCredentials extends ServerCredentials {
  readonly #stop: () => void;
  readonly #interceptor;

  constructor(identity: TlsIdentity) {
    super(
      { requestCert: true, rejectUnauthorized: true, handshakeTimeout: handshakeTimeoutMs },
      identity.certificate.options,
    );
    this.#interceptor = markClients(identity);
    this.#stop = identity.onChange(({ options }) => this.updateSecureContextOptions(options));
  }

  override _getInterceptors() {
    return [this.#interceptor];
  }

  override _equals(other: ServerCredentials): boolean {
    return other === this;
  }

  close(): void {
    this.#stop();
  }
}
