import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { NodeTransport } from "@headwater/client/node";
import type { AddressWatch } from "@headwater/rpc";
import { ServerConnection } from "./server-connection.ts";

/** The name may be looked up for so many milliseconds before the first call fails. */
const firstLookupMs = 5000;

/** All servers behind a name, each with a connection of its own. */
export class ServerPool {
  readonly #watch: AddressWatch;
  readonly #connect: (address: string) => NodeTransport;
  readonly #problem: () => unknown;
  readonly #servers = new Map<string, ServerConnection>();
  /** Gone from the name, with calls under way. */
  readonly #leaving = new Map<string, ServerConnection>();
  readonly #stopWatching: () => void;
  readonly #known = Promise.withResolvers<void>();
  #failure: unknown;
  #turn = 0;

  /** @param problem why connections fail, where that is known */
  constructor(
    watch: AddressWatch,
    connect: (address: string) => NodeTransport,
    problem: () => unknown = () => undefined,
  ) {
    this.#watch = watch;
    this.#connect = connect;
    this.#problem = problem;
    this.#stopWatching = watch.listen((addresses, failure) => {
      this.#failure = failure;
      this.#update(addresses);
    });
    if (watch.known.length > 0) this.#update(watch.known);
  }

  /** Addresses that calls go to. */
  get addresses(): readonly string[] {
    return [...this.#servers.keys()];
  }

  /**
   * The server with the fewest calls under way, in turn where several have as few; one that takes no connection, or
   * has just refused the method, is passed over.
   *
   * @throws ConnectError UNAVAILABLE where none takes a connection; what they refused with where none takes the call
   */
  async choose(method: DescMethod): Promise<ServerConnection> {
    if (this.#servers.size === 0) await this.#firstLookup();
    let refusal: unknown;
    for (const server of this.#inOrder()) {
      const refused = server.refusal(method);
      refusal ??= refused;
      if (refused) continue;
      if (await server.open()) return server;
      this.#watch.refresh();
    }
    throw refusal ?? this.#nobody();
  }

  /** What a call of the method would be refused with, as all servers have just done; undefined where one may take it. */
  refusal(method: DescMethod): unknown {
    const refusals = [...this.#servers.values()].map((server) => server.refusal(method));
    return refusals.every((refusal) => refusal !== undefined) ? refusals[0] : undefined;
  }

  close(): void {
    this.#stopWatching();
    for (const server of [...this.#servers.values(), ...this.#leaving.values()]) server.transport.close();
  }

  #inOrder(): ServerConnection[] {
    const servers = [...this.#servers.values()];
    this.#turn = (this.#turn + 1) % Math.max(1, servers.length);
    const inTurn = [...servers.slice(this.#turn), ...servers.slice(0, this.#turn)];
    return inTurn.sort((a, b) => Number(a.resting) - Number(b.resting) || a.calls - b.calls);
  }

  #update(addresses: readonly string[]): void {
    const listed = new Set(addresses);
    for (const [address, server] of this.#servers) {
      if (listed.has(address)) continue;
      this.#servers.delete(address);
      this.#leaving.set(address, server);
      server.leave();
    }
    for (const [address, server] of this.#leaving) if (server.calls === 0) this.#leaving.delete(address);
    for (const address of addresses) {
      if (this.#servers.has(address)) continue;
      const back = this.#leaving.get(address);
      this.#leaving.delete(address);
      back?.stay();
      this.#servers.set(address, back ?? new ServerConnection(address, this.#connect(address)));
    }
    this.#known.resolve();
  }

  async #firstLookup(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, firstLookupMs);
    });
    await Promise.race([this.#known.promise, late]);
    clearTimeout(timer);
  }

  #nobody(): ConnectError {
    const { target } = this.#watch;
    return new ConnectError(
      this.#servers.size === 0 ? `${target} has no address` : `no server of ${target} takes a connection`,
      Code.Unavailable,
      undefined,
      undefined,
      this.#problem() ?? this.#failure,
    );
  }
}
