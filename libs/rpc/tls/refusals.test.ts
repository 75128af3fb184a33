import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { connect, createServer } from "node:tls";
import { HeadwaterError } from "@headwater/errors";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { createLogger, silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder, until } from "@headwater/testing";
import type { CertificateFiles } from "@headwater/testing/certificates";
import { createAuthority, mountCertificates } from "@headwater/testing/certificates";
import { HealthDefinition } from "nice-grpc-server-health";
import type { RpcServer } from "../index.ts";
import { createRpcClient, startRpcServer, TlsIdentity } from "../index.ts";

const searchName = "headwater-search.rag.svc";
const generationName = "headwater-generation.rag.svc";
const gatewayName = "spiffe://cluster.local/ns/rag/sa/gateway";

const ours = await createAuthority("ours");
const theirs = await createAuthority("theirs");
const opened: TlsIdentity[] = [];
const telemetry = silentTelemetry("search");
let server: RpcServer;

before(async () => {
  const files = await ours.issue([searchName, "127.0.0.1"]);
  server = await startSearch(await identityOf(files, new Set([generationName, gatewayName]), telemetry));
});
after(async () => {
  await server.close(500);
  for (const identity of opened) identity.close();
});

async function identityOf(
  files: CertificateFiles,
  allowedClients: ReadonlySet<string> | "*" = "*",
  reporting = silentTelemetry("client"),
): Promise<TlsIdentity> {
  const folder = await temporaryFolder();
  await mountCertificates(folder, files);
  const identity = new TlsIdentity({ folder, allowedClients }, reporting);
  opened.push(identity);
  return identity;
}

function startSearch(tls: TlsIdentity | undefined): Promise<RpcServer> {
  return startRpcServer({
    ...{ address: "127.0.0.1:0", tls, telemetry: silentTelemetry("search") },
    definition: SearchServiceDefinition,
    implementation: {
      async *search() {
        yield { event: { $case: "hits", value: { elapsedMs: 1 } } } as const;
      },
    },
    checkReadiness: async () => {},
  });
}

/** What becomes of one search: how many responses it got, or why it failed. */
async function outcome(
  tls: TlsIdentity | undefined,
  { serverName = searchName, address = server.address } = {},
): Promise<number | HeadwaterError> {
  const client = createRpcClient(SearchServiceDefinition, address, { tls, serverName });
  try {
    return (await Array.fromAsync(client.call.search({ query: "x" }))).length;
  } catch (thrown) {
    assert(thrown instanceof HeadwaterError, String(thrown));
    return thrown;
  } finally {
    client.close();
  }
}

async function reasonOf(...call: Parameters<typeof outcome>): Promise<string> {
  const error = await outcome(...call);
  assert(error instanceof HeadwaterError, "the call was not refused");
  assert.notEqual(error.action, "", `${error.reason} does not say what to do`);
  return error.reason;
}

async function refused(side: string, reason: string, { metrics } = telemetry): Promise<number> {
  const values = (await metrics.getSingleMetric("headwater_tls_refused_total")?.get())?.values ?? [];
  const found = values.find(({ labels }) => labels["side"] === side && labels["reason"] === reason);
  assert(found, `no series for ${side}, ${reason}`);
  return found.value;
}

/** Begins TLS with the server as the files say, and resolves once the server has hung up. */
async function knock(files: Partial<CertificateFiles>): Promise<void> {
  const socket = connect({
    ...{ host: "127.0.0.1", port: Number(server.address.split(":")[1]), servername: searchName },
    ...{ cert: files["tls.crt"], key: files["tls.key"], ca: files["ca.crt"], ALPNProtocols: ["h2"] },
  });
  // How it says no differs with what it refuses.
  socket.on("error", () => {}).resume();
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
}

/** The server sees a handshake fail when the caller may know already. */
async function counted(reason: string, work: () => Promise<void>): Promise<void> {
  const before = await refused("server", reason);
  await work();
  await until(`${reason} is counted`, async () => (await refused("server", reason)) > before);
}

test("each reason of both sides is a series at zero from the start", async () => {
  const fresh = silentTelemetry("fresh");
  await identityOf(await ours.issue([searchName]), "*", fresh);
  for (const reason of ["plain_text", "no_certificate", "untrusted", "expired", "identity"])
    assert.equal(await refused("server", reason, fresh), 0);
  for (const reason of ["plain_text", "untrusted", "expired", "name"])
    assert.equal(await refused("client", reason, fresh), 0);
});

test("who bears an allowed name may call, be it a DNS name or a URI", async () => {
  assert.equal(await outcome(await identityOf(await ours.issue([generationName]))), 1);
  assert.equal(await outcome(await identityOf(await ours.issue(["127.0.0.1", gatewayName]))), 1);
});

test("the right authority but another name: each call is refused, and says so", async () => {
  await counted("identity", async () => {
    const error = await outcome(await identityOf(await ours.issue(["headwater-ingest.rag.svc"])));
    assert(error instanceof HeadwaterError);
    assert.equal(error.reason, "HW_CLIENT_NOT_ALLOWED");
    assert.equal(error.message, "This service takes no calls from headwater-ingest.rag.svc.");
  });
});

test("a name that holds an allowed one is another", async () => {
  for (const name of [`${generationName}.evil.example`, `x, DNS:${generationName}`, generationName.slice(1)])
    assert.equal(await reasonOf(await identityOf(await ours.issue([name]))), "HW_CLIENT_NOT_ALLOWED");
});

test("health and reflection stand behind the same door", async () => {
  const check = async (name: string) => {
    const tls = await identityOf(await ours.issue([name]));
    const client = createRpcClient(HealthDefinition, server.address, { tls, serverName: searchName });
    return client.call.check({ service: "" }).finally(() => client.close());
  };
  assert.equal((await check(generationName)).status, 1);
  await assert.rejects(check("headwater-ingest.rag.svc"), { reason: "HW_CLIENT_NOT_ALLOWED" });
});

test("a client of another authority is refused in the handshake", async () => {
  await counted("untrusted", async () => {
    const files = { ...(await theirs.issue([generationName])), "ca.crt": ours.certificate };
    assert.equal(await reasonOf(await identityOf(files)), "HW_TLS_CLIENT_REFUSED");
  });
});

test("a client whose certificate has expired is refused in the handshake", async () => {
  const expired = await ours.issue([generationName], { toMs: -60_000 });
  await counted("expired", () => knock(expired));
});

test("a client without a certificate is refused in the handshake", async () => {
  await counted("no_certificate", () => knock({ "ca.crt": ours.certificate }));
});

test("what was refused is logged once a second and counted each time", async () => {
  const lines: string[] = [];
  const log = createLogger("search", "warn", { write: (line) => void lines.push(line) });
  const identity = await identityOf(await ours.issue([searchName]), "*", {
    ...silentTelemetry("search"),
    log,
  });
  for (let time = 0; time < 5; time += 1) identity.refuse("untrusted", { peer: "10.0.0.7" });
  identity.refuse("plain_text", { peer: "10.0.0.8" });
  const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    told.map(({ reason, peer, msg }) => ({ reason, peer, msg })),
    [
      { reason: "untrusted", peer: "10.0.0.7", msg: "a client was refused" },
      { reason: "plain_text", peer: "10.0.0.8", msg: "a client was refused" },
    ],
  );
});

test("plain text to a server that wants TLS", async () => {
  await counted("plain_text", async () => assert.equal(await reasonOf(undefined), "HW_TLS_WANTED"));
});

test("TLS to a server of plain text", async () => {
  const plain = await startSearch(undefined);
  const reporting = silentTelemetry("client");
  try {
    const identity = await identityOf(await ours.issue([generationName]), "*", reporting);
    assert.equal(await reasonOf(identity, { address: plain.address }), "HW_TLS_SERVER_PLAIN_TEXT");
    assert((await refused("client", "plain_text", reporting)) > 0);
  } finally {
    await plain.close(500);
  }
});

test("a client refuses a server of another authority, of another name, and one that has expired", async () => {
  const reporting = silentTelemetry("client");
  const client = await identityOf(await ours.issue([generationName]), "*", reporting);
  const against = async (files: CertificateFiles) => {
    const other = createServer({ cert: files["tls.crt"], key: files["tls.key"], ALPNProtocols: ["h2"] });
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    return reasonOf(client, { address: `127.0.0.1:${port}` }).finally(() => other.close());
  };
  assert.equal(await against(await theirs.issue([searchName])), "HW_TLS_SERVER_UNTRUSTED");
  assert.equal(await against(await ours.issue([generationName])), "HW_TLS_SERVER_NAME");
  const expired = await ours.issue([searchName], { toMs: -60_000 });
  assert.equal(await against(expired), "HW_TLS_SERVER_EXPIRED");
  for (const reason of ["untrusted", "name", "expired"])
    assert((await refused("client", reason, reporting)) > 0, reason);
});
