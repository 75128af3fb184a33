import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { SearchRequest } from "@headwater/proto/services/headwater/v1/search";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder, until } from "@headwater/testing";
import type { CertificateFiles } from "@headwater/testing/certificates";
import { createAuthority, mountCertificates } from "@headwater/testing/certificates";
import { HealthDefinition } from "nice-grpc-server-health";
import type { RpcClient, RpcServer } from "../index.ts";
import { createRpcClient, startRpcServer, TlsIdentity } from "../index.ts";

const lookEveryMs = 20;
const pieceMs = 5;
const serverName = "headwater-search.rag.svc";
const clientName = "headwater-generation.rag.svc";

/** One side of the hop: a mounted folder, and what looks at it. */
class Side {
  readonly identity: TlsIdentity;
  readonly #folder: string;
  readonly #telemetry;

  constructor(folder: string, allowedClients: ReadonlySet<string>, telemetry = silentTelemetry("side")) {
    this.#folder = folder;
    this.#telemetry = telemetry;
    this.identity = new TlsIdentity({ folder, allowedClients }, telemetry, lookEveryMs);
  }

  static async open(files: CertificateFiles, allowed: readonly string[]): Promise<Side> {
    const folder = await temporaryFolder();
    await mountCertificates(folder, files);
    return new Side(folder, new Set(allowed));
  }

  /** Puts new files there and waits until they are in use. */
  async rotate(files: CertificateFiles): Promise<void> {
    const before = await this.reloads("applied");
    await mountCertificates(this.#folder, files);
    await until("the new files are in use", async () => (await this.reloads("applied")) > before);
  }

  /** Puts something there that cannot be used, and waits until that is told. */
  async break(files: CertificateFiles): Promise<void> {
    const before = await this.reloads("failed");
    await mountCertificates(this.#folder, files);
    await until("the broken files are told of", async () => (await this.reloads("failed")) > before);
  }

  async reloads(result: "applied" | "failed"): Promise<number> {
    const metric = await this.#telemetry.metrics.getSingleMetric("headwater_tls_reloads_total")?.get();
    return metric?.values.find(({ labels }) => labels["result"] === result)?.value ?? Number.NaN;
  }
}

const old = await createAuthority("old");
const next = await createAuthority("next");
let server: RpcServer;
let serverSide: Side;
let clientSide: Side;

before(async () => {
  serverSide = await Side.open(await old.issue([serverName]), [clientName]);
  clientSide = await Side.open(await old.issue([clientName]), []);
  server = await startRpcServer({
    address: "127.0.0.1:0",
    tls: serverSide.identity,
    definition: SearchServiceDefinition,
    implementation: {
      async *search({ query }: SearchRequest) {
        for (let piece = 0; piece < Number(query); piece += 1) {
          yield { event: { $case: "hits", value: { elapsedMs: piece } } } as const;
          await delay(pieceMs);
        }
      },
    },
    telemetry: silentTelemetry("search"),
    checkReadiness: async () => {},
  });
});
after(async () => {
  await server.close(500);
  for (const side of [serverSide, clientSide]) side.identity.close();
});

type Kind = "unary" | "streams" | "visits";

/**
 * Calls without a pause until it is stopped: unary ones and streams over connections that stay, one stream for as long as
 * it all lasts, and visitors who make a connection for each call. Any failure fails the load.
 */
function startLoad() {
  const options = { tls: clientSide.identity, serverName };
  const search = createRpcClient(SearchServiceDefinition, server.address, options);
  const health = createRpcClient(HealthDefinition, server.address, options);
  const leave = new AbortController();
  const calls: Record<Kind, number> = { unary: 0, streams: 0, visits: 0 };
  const repeat = async (kind: Kind, call: () => Promise<void>) => {
    for (; !leave.signal.aborted; calls[kind] += 1) await call();
  };
  const check = async (client = health) =>
    assert.equal((await client.call.check({ service: "liveness" })).status, 1);
  const stream = async (pieces: number) =>
    assert.equal((await Array.fromAsync(search.call.search({ query: String(pieces) }))).length, pieces);
  const visit = async () => {
    const visitor = createRpcClient(HealthDefinition, server.address, options);
    await check(visitor).finally(() => visitor.close());
  };
  const all = Promise.all([
    longStream(search, leave.signal),
    repeat("unary", check),
    ...[1, 7, 30].map((pieces) => repeat("streams", () => stream(pieces))),
    repeat("visits", visit),
    repeat("visits", visit),
  ]);
  return {
    leave: () => leave.abort(),
    async stop() {
      leave.abort();
      try {
        const [longest] = await all;
        return { ...calls, longest };
      } finally {
        search.close();
        health.close();
      }
    },
    /** So many of each kind that whatever was under way has ended and more has followed. */
    async goOn() {
      const before = { ...calls };
      const more = (kind: Kind) => calls[kind] > before[kind] + 5;
      await Promise.race([
        all,
        until("calls go on", () => more("unary") && more("streams") && more("visits")),
      ]);
    },
  };
}

/** How many pieces came, without a gap, until it was left. */
async function longStream(search: RpcClient<SearchServiceDefinition>, left: AbortSignal): Promise<number> {
  let pieces = 0;
  try {
    for await (const { event } of search.call.search({ query: "1000000" }, { signal: left })) {
      assert(event?.$case === "hits");
      assert.equal(event.value.elapsedMs, pieces);
      pieces += 1;
    }
  } catch (thrown) {
    if (!left.aborted) throw thrown;
  }
  return pieces;
}

/** Serial number of the certificate that a new connection is shown. */
async function servedSerial(): Promise<string> {
  const [host = "", port] = server.address.split(":");
  const socket = clientSide.identity.connect({ host, port: Number(port) }, serverName);
  await once(socket, "secureConnect");
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

test("certificates and authority are replaced under load, and no call fails", async () => {
  const load = startLoad();
  const serials: string[] = [];
  const renew = async (side: Side, files: CertificateFiles) => {
    await side.rotate(files);
    serials.push(await servedSerial());
    await load.goOn();
  };
  try {
    await load.goOn();
    serials.push(await servedSerial());
    await renew(serverSide, await old.issue([serverName]));
    await renew(clientSide, await old.issue([clientName]));
    // A new authority: first trusted beside the old one, then used, then alone.
    const both = { "ca.crt": old.certificate + next.certificate };
    await renew(clientSide, { ...(await old.issue([clientName])), ...both });
    await renew(serverSide, { ...(await old.issue([serverName])), ...both });
    await renew(serverSide, { ...(await next.issue([serverName])), ...both });
    await renew(clientSide, { ...(await next.issue([clientName])), ...both });
    await renew(serverSide, await next.issue([serverName]));
    await renew(clientSide, await next.issue([clientName]));
  } finally {
    load.leave();
  }
  const { unary, streams, visits, longest } = await load.stop();
  assert.equal(new Set(serials).size, 5, "a new connection is shown the newest certificate");
  assert(unary > 45 && streams > 45 && visits > 45 && longest > 45, "calls of each kind were made all along");
});

test("files that cannot be used are told of once, and the former ones stay in use", async () => {
  const serial = await servedSerial();
  const good = await next.issue([serverName]);
  const failedBefore = await serverSide.reloads("failed");
  await serverSide.break({ ...good, "tls.key": (await next.issue([serverName]))["tls.key"] });
  assert.equal(await servedSerial(), serial);
  await serverSide.break({ ...good, "tls.crt": good["tls.crt"].slice(0, 200) });
  await serverSide.break(await next.issue([serverName], { toMs: -60_000 }));
  assert.equal(await servedSerial(), serial);
  assert.equal((await serverSide.reloads("failed")) - failedBefore, 3);
  await serverSide.rotate(good);
  assert.notEqual(await servedSerial(), serial);
});
