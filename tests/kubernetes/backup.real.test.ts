/**
 * The chart's jobs for operators, as pods, with mutual TLS on: a backup made of its CronJob, and `headwater doctor`. It
 * needs what try-out.real.test.ts needs.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import type { NodeTransport } from "@headwater/client/node";
import { createNodeTransport } from "@headwater/client/node";
import { temporaryFolder } from "@headwater/testing";
import { eventually } from "../support/eventually.ts";
import type { RealServers } from "../support/real-servers.ts";
import { useRealServers } from "../support/real-servers.ts";
import type { Namespace } from "./support/cluster.ts";
import { createNamespace } from "./support/cluster.ts";
import type { Installation } from "./support/installation.ts";
import { missingForInstallation, prepareInstallation, realNode } from "./support/installation.ts";
import { storeValues } from "./support/store-values.ts";

const content = "The heron of Quillmere counts nine hundred and twelve reeds each spring.";
interface Job {
  readonly spec: {
    readonly template: { readonly spec: { readonly containers: { args: readonly string[] }[] } };
  };
  readonly status?: { readonly succeeded?: number; readonly failed?: number };
}

describe("jobs for operators", { skip: missingForInstallation(), timeout: 1_500_000 }, () => {
  let servers: RealServers;
  let namespace: Namespace;
  let installation: Installation;
  let transport: NodeTransport;
  let client: HeadwaterClient;

  before(async () => {
    servers = await useRealServers();
    namespace = await createNamespace("backup");
    const stores = await storeValues(namespace, servers.environment);
    const destination = `s3://${servers.environment["HEADWATER_S3_BUCKET"]}/backups/`;
    const own = { backup: { enabled: true, destination }, cli: { enabled: true } };
    const values = { ...realNode(1), ...stores, ...own };
    installation = await prepareInstallation(namespace, await temporaryFolder(), "values-try.yaml", values);
    await installation.upgrade();
    const [address, apiKey] = [await installation.gatewayAddress(), await installation.apiKey()];
    transport = createNodeTransport({ address, apiKey });
    client = createHeadwaterClient({ transport });
  });
  after(async () => {
    transport?.close();
    await namespace?.[Symbol.asyncDispose]();
    await servers?.stop();
  });

  /** Makes a job of a CronJob, and waits for its end. @returns what it printed */
  async function run(name: string, cronJob: string): Promise<string> {
    await namespace.kubectl("create", "job", name, `--from=cronjob/headwater-${cronJob}`);
    const ended = async () => {
      const { status } = await namespace.get<Job>("job", name);
      return status?.succeeded || status?.failed ? status : undefined;
    };
    const status = await eventually(`${name} ends`, ended, 300_000);
    const printed = await namespace.kubectl("logs", `job/${name}`);
    assert.equal(status.succeeded, 1, printed);
    return printed;
  }

  test("a backup is made of the CronJob, and doctor finds nothing wrong", async (context) => {
    for await (const { error } of client.documents.push([{ id: "heron", content }]))
      assert.equal(error, undefined);
    for await (const { state } of client.documents.watch({ ids: ["heron"], untilSettled: true }))
      assert.notEqual(state, "failed");
    context.diagnostic(await run("backup-now", "backup"));
    context.diagnostic(await run("doctor-now", "cli"));
  });
});
