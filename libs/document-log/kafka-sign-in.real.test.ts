import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { status } from "@headwater/errors";
import { realServer, temporaryFolder } from "@headwater/testing";
import { receiveCount, record, versionOf } from "./conformance-helpers.ts";
import { TestBroker } from "./fixtures/kafka-broker.ts";
import type { KafkaCredentials } from "./kafka-client.ts";
import { openKafkaDocumentLog } from "./kafka-document-log.ts";
import { patiently, testOptions } from "./kafka-testing.ts";

const run = promisify(execFile);
/** Folder with the jars of Kafka, server and client: these brokers ask for more than the shared one. */
const jars = realServer("KAFKA_JARS");

if (jars) {
  const folder = await temporaryFolder();
  const keyStore = await makeKeyStore(folder);
  for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"] as const) {
    // TLS with one of them is enough: the two are apart.
    const tls = mechanism === "scram-sha-512";
    test(`sign-in by ${mechanism}${tls ? " over TLS" : ""}`, async (context) => {
      const credentials = { mechanism, username: "ingest", password: "secret-1" };
      const store = tls ? { keyStore: keyStore.file } : {};
      const broker = await TestBroker.start({ jars, folder: join(folder, mechanism), credentials, ...store });
      after(() => broker.kill("SIGTERM"));
      const ca = tls ? { ca: keyStore.certificate } : undefined;
      const log = await patiently(() => openKafkaDocumentLog(optionsOf(broker.address, credentials, ca)));
      context.after(() => log.close());
      // The first transaction of a new broker waits for the topic that transactions are kept in.
      await patiently(() => log.append([record("t/1", 1), record("t/2", 2)]));
      const received = await receiveCount(await patiently(() => log.subscribe("g")), 2);
      assert.deepEqual(received.map(versionOf).sort(), [1, 2]);
      await patiently(() => log.checkHealth());
      await log.close();

      const wrong = optionsOf(broker.address, { ...credentials, password: "wrong" }, ca);
      await assert.rejects(openKafkaDocumentLog(wrong), {
        ...{ code: status.UNAVAILABLE, reason: "HW_KAFKA_UNAVAILABLE" },
        message: "Kafka refused the user name or the password.",
      });
      if (tls) {
        const distrusting = optionsOf(broker.address, credentials, {});
        await assert.rejects(openKafkaDocumentLog(distrusting), { message: /self-signed certificate/ });
      }
      await broker.kill("SIGTERM");
    });
  }
}

function optionsOf(address: string, sasl: KafkaCredentials, tls: { ca?: string } | undefined) {
  const options = testOptions(address, "sign-in");
  return { ...options, connection: { ...options.connection, sasl, tls } };
}

/** A certificate for 127.0.0.1 that signs itself. */
async function makeKeyStore(folder: string): Promise<{ file: string; certificate: string }> {
  const file = join(folder, "keys.p12");
  const store = ["-keystore", file, "-storepass", "changeit", "-alias", "broker"];
  const key = ["-genkeypair", "-keyalg", "RSA", "-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1"];
  await run("keytool", [...key, "-storetype", "PKCS12", ...store]);
  const { stdout } = await run("keytool", ["-exportcert", "-rfc", ...store]);
  return { file, certificate: stdout };
}
