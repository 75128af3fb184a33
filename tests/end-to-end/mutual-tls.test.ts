import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serviceNames } from "@headwater/cli/stack";
import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import { SearchServiceDefinition } from "@headwater/proto/services/headwater/v1/search";
import { createRpcClient, TlsIdentity } from "@headwater/rpc";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import { temporaryFolder, until } from "@headwater/testing";
import type { Authority } from "@headwater/testing/certificates";
import { createAuthority, mountCertificates } from "@headwater/testing/certificates";
import type { ServiceName, Stack } from "../support/test-stack.ts";
import { startTestStack } from "../support/test-stack.ts";

/** Who calls whom, as in the chart. */
const callers: Readonly<Record<ServiceName, readonly ServiceName[]>> = {
  "embedding-worker": ["ingest", "search", "generation", "gateway"],
  ingest: ["gateway", "generation"],
  search: ["gateway", "generation"],
  generation: ["gateway", "generation"],
  gateway: [],
};

const addressSettings: Readonly<Record<ServiceName, string>> = {
  "embedding-worker": "HEADWATER_EMBEDDING_ADDRESS",
  ingest: "HEADWATER_INGEST_ADDRESS",
  search: "HEADWATER_SEARCH_ADDRESS",
  generation: "HEADWATER_GENERATION_ADDRESS",
  gateway: "HEADWATER_SERVER",
};

const hourMs = 3_600_000;
const folder = await temporaryFolder();
const authority = await createAuthority("of the installation");
const stacks = new Map<ServiceName, Stack>();
let client: HeadwaterClient;
let closeClient = () => {};

const identityOf = (name: string) => `headwater-${name}.rag.svc`;
const tlsFolderOf = (name: string) => join(folder, "tls", name);
const addressOf = (name: ServiceName) => stacks.get(name)?.address(name) ?? assert.fail(`${name} is not up`);

function issue(by: Authority, name: string, toMs = hourMs) {
  return by.issue([identityOf(name), "127.0.0.1"], { toMs });
}

async function start(name: ServiceName, more: Record<string, string> = {}): Promise<void> {
  const known = [...stacks.keys()].map((other) => [addressSettings[other], addressOf(other)] as const);
  const environment = {
    ...Object.fromEntries(known),
    HEADWATER_TLS_DIR: tlsFolderOf(name),
    HEADWATER_TLS_ALLOWED_CLIENTS: callers[name].map(identityOf).join(","),
    // Connections come and go all along: those that stay would hide what a rotation breaks.
    HEADWATER_MAX_CONNECTION_AGE_MS: "1000",
    ...more,
  };
  stacks.set(name, await startTestStack(join(folder, "data"), { services: [name], environment }));
}

/** Each service with settings of its own, as in pods: its certificate, and who may call it. */
before(async () => {
  for (const name of serviceNames) {
    await mountCertificates(tlsFolderOf(name), await issue(authority, name));
    await start(name);
  }
  const transport = createNodeTransport({ address: addressOf("gateway") });
  client = createHeadwaterClient({ transport });
  closeClient = () => transport.close();
});
after(async () => {
  closeClient();
  for (const stack of [...stacks.values()].toReversed()) await stack.close(5000);
});

function services(): RunningService[] {
  return [...stacks.values()].flatMap((stack) => stack.services);
}

async function metric(service: RunningService, name: string, labels: Record<string, string>) {
  const values = (await service.metrics.getSingleMetric(name)?.get())?.values ?? [];
  const matching = values.filter((value) =>
    Object.entries(labels).every(([label, wanted]) => value.labels[label] === wanted),
  );
  return matching.reduce((sum, { value }) => sum + value, 0);
}

async function search(): Promise<string[]> {
  let found: string[] = [];
  for await (const event of client.search("Why does a river meander?"))
    if (event.type === "hits") found = event.hits.map(({ document }) => document.id);
  return found;
}

async function ask(): Promise<string> {
  let answer = "";
  for await (const event of client.answer("Why does a river meander?"))
    if (event.type === "text") answer += event.text;
  return answer;
}

test("documents go in, hits and answers come out, each hop with certificates", async () => {
  const content =
    "A river meanders because water flows faster on the outside of a bend. There it erodes the bank.";
  for await (const { error } of client.documents.push([{ id: "rivers.txt", content }]))
    assert.equal(error, undefined);
  for await (const { state } of client.documents.watch({ ids: ["rivers.txt"], untilSettled: true }))
    assert.notEqual(state, "failed");
  assert.deepEqual(await search(), ["rivers.txt"]);
  assert.match(await ask(), /flows faster on the outside of a bend/);
});

test("generation calls itself for its jobs, by its own name", async () => {
  const { job } = await client.jobs.submit("chat", { message: "Why does a river meander?" });
  let last = job;
  for await (const change of client.jobs.watch(job.id)) last = change;
  assert.equal(last.state, "completed", JSON.stringify(last.error));
  assert.match(String(last.output?.["answer"]), /faster on the outside/);
});

test("a service that is not on the list is refused, and so is plain text", async () => {
  const identity = new TlsIdentity(
    { folder: tlsFolderOf("ingest"), allowedClients: new Set() },
    silentTelemetry("test"),
  );
  const [running] = stacks.get("search")?.services ?? [];
  assert(running);
  const reasonOf = async (tls?: TlsIdentity) => {
    const caller = createRpcClient(SearchServiceDefinition, addressOf("search"), { tls });
    try {
      await assert.rejects(Array.fromAsync(caller.call.search({ query: "river" })), ({ reason }) => {
        found = reason;
        return true;
      });
    } finally {
      caller.close();
    }
    return found;
  };
  let found = "";
  assert.equal(await reasonOf(identity), "HW_CLIENT_NOT_ALLOWED");
  assert.equal(await reasonOf(), "HW_TLS_WANTED");
  identity.close();
  const refused = (reason: string) =>
    metric(running, "headwater_tls_refused_total", { side: "server", reason });
  assert.equal(await refused("identity"), 1);
  assert((await refused("plain_text")) > 0);
});

test("a new authority takes over while searches and answers run, and none fails", async () => {
  const next = await createAuthority("of the installation");
  const ended = new AbortController();
  const counts = { searches: 0, answers: 0 };
  const load = Promise.all([
    (async () => {
      for (; !ended.signal.aborted; counts.searches += 1) assert.deepEqual(await search(), ["rivers.txt"]);
    })(),
    (async () => {
      for (; !ended.signal.aborted; counts.answers += 1) assert.match(await ask(), /faster on the outside/);
    })(),
  ]);
  const both = { "ca.crt": `${authority.certificate}\n${next.certificate}` };
  let round = 0;
  const rotate = async (by: Authority, more: object) => {
    round += 1;
    // Each round's certificates end at a time of their own, by which the services show that they use them.
    const expiries = new Map<string, number>();
    for (const name of serviceNames) {
      const files = await issue(by, name, hourMs + round * 60_000);
      expiries.set(name, new X509Certificate(files["tls.crt"]).validToDate.getTime() / 1000);
      await mountCertificates(tlsFolderOf(name), { ...files, ...more });
    }
    const { searches, answers } = counts;
    const all = async () => {
      const gauge = "headwater_tls_certificate_expiry_timestamp_seconds";
      for (const service of services())
        if ((await metric(service, gauge, { certificate: "own" })) !== expiries.get(service.name))
          return false;
      return counts.searches > searches + 5 && counts.answers > answers + 5;
    };
    await Promise.race([load, until("all services use the new files, and calls go on", all)]);
  };
  try {
    await rotate(authority, both);
    await rotate(next, both);
    await rotate(next, {});
  } finally {
    ended.abort();
    await load;
  }
  // Whoever connects anew does so with the new authority alone.
  const address = addressOf("search");
  await stacks.get("search")?.close(5000);
  await start("search", { HEADWATER_SEARCH_LISTEN: address });
  const answered = () => ask().then(Boolean, ({ reason }) => reason !== "HW_SEARCH_UNAVAILABLE");
  await until("generation has found it again", answered);
  assert.deepEqual(await search(), ["rivers.txt"]);
  assert.match(await ask(), /faster on the outside/);
  for (const service of services()) {
    for (const reason of ["untrusted", "expired", "no_certificate"])
      assert.equal(await metric(service, "headwater_tls_refused_total", { reason }), 0, service.name);
  }
});
