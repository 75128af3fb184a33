import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Client } from "@elastic/elasticsearch";
import { HeadwaterError, status } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import { realServer } from "@headwater/testing";
import { tlsSuite } from "@headwater/testing/tls-suite";
import { dimensions, sample, vectorOf } from "./conformance-documents.ts";
import { ElasticConnection } from "./elastic-connection.ts";
import { elasticSettings, readElasticOptions } from "./elastic-options.ts";
import { CutWire } from "./testing/cut-wire.ts";
import { PairedServers } from "./testing/paired-servers.ts";

const elastic = realServer("ELASTICSEARCH_URL");
const fingerprint = { model: "m", chunking: "c" };
const filter = { tenant: "default" };

if (elastic !== undefined) {
  const servers = await PairedServers.start(elastic);
  const client = new Client({ node: elastic });
  after(async () => {
    await client.close();
    await servers.stop();
  });
  let places = 0;
  const newPrefix = () => {
    places += 1;
    return `elastic-${process.pid}-${places}`;
  };

  tlsSuite("Elasticsearch", {
    address: new URL(elastic).host,
    reason: "HW_ELASTICSEARCH_UNAVAILABLE",
    async use({ host, port, caFile }) {
      const options = readElasticOptions(
        readSettings(elasticSettings, {
          HEADWATER_ELASTICSEARCH_URL: `https://${host}:${port}`,
          HEADWATER_ELASTICSEARCH_CA_FILE: caFile,
        }),
      );
      assert(options);
      const connection = new ElasticConnection(options);
      try {
        await connection.ask((one, limits) => one.cluster.health({}, limits));
      } finally {
        await connection.close();
      }
    },
  });

  describe("Elasticsearch as the lexical engine", () => {
    async function open(prefix = newPrefix(), generation = "g1") {
      const { lexical: store } = servers.stores(prefix);
      const description = { generation, fingerprint, dimensions };
      const engine = await store.create(description);
      return { store, engine, ledger: store.ledger(generation), description, prefix };
    }

    test("making a generation again changes nothing", async () => {
      const { store, engine, description } = await open();
      await engine.write([{ ...sample({ id: "a", texts: ["wing"] }), revision: 1 }]);
      const again = await store.create(description);
      assert.equal(await again.count(), 1);
      await store.close();
    });

    test("a late write to a generation that was dropped is refused, and makes no index", async () => {
      const { store, engine, ledger, prefix } = await open();
      await store.drop("g1");
      const gone = { code: status.ABORTED, reason: "HW_INDEX_GENERATION_GONE" };
      const document = { ...sample({ id: "a", texts: ["wing"] }), revision: 1 };
      await assert.rejects(engine.write([document]), gone);
      await assert.rejects(engine.search("wing", filter, 1), gone);
      await assert.rejects(ledger.read([document]), gone);
      const entry = { ...document, passages: 1, fence: 0, attempt: "x", changedAt: 0 };
      await assert.rejects(ledger.write([{ entry, instead: undefined }]), gone);
      assert.deepEqual(Object.keys(await client.indices.get({ index: `${prefix}-*` })), []);
      await store.close();
    });

    test("a document that it cannot take is to blame, and the others of its batch are not", async () => {
      const { store, engine } = await open();
      const good = { ...sample({ id: "good", texts: ["wing"] }), revision: 1 };
      const [passage] = good.passages;
      assert(passage);
      const bad = { ...good, documentId: "bad", passages: [{ ...passage, mediaType: "x".repeat(40_000) }] };
      await assert.rejects(engine.write([bad, good]), { code: status.INVALID_ARGUMENT });
      await engine.write([good]);
      assert.equal(await engine.count(), 1);
      await store.close();
    });

    test("a batch larger than one request is written whole", async () => {
      const prefix = newPrefix();
      const { lexical: store } = servers.stores(prefix, { batchBytes: 65_536 });
      const engine = await store.create({ generation: "g1", fingerprint, dimensions });
      const texts = Array.from({ length: 400 }, (_, at) => `wing ${at} ${"tail ".repeat(200)}`);
      await engine.write([{ ...sample({ id: "a", texts }), revision: 1 }]);
      assert.equal((await engine.search("wing", filter, 1000)).length, 400);
      const [held, ...more] = await Array.fromAsync(engine.list());
      assert.deepEqual(
        [held, more],
        [{ tenant: "default", documentId: "a", version: 1, revision: 1, passages: 400 }, []],
      );
      await store.close();
    });

    test("a query of thousands of words is answered", async () => {
      const { store, engine } = await open();
      await engine.write([{ ...sample({ id: "a", texts: ["wing"] }), revision: 1 }]);
      const words = Array.from({ length: 2600 }, (_, at) => at.toString(36)).join(" ");
      assert.equal((await engine.search(`${words} wing`.slice(-8000), filter, 1)).length, 1);
      await store.close();
    });

    test("parts of names in code are words, and the text comes back as it was", async () => {
      const { store, engine } = await open();
      const text = "gateway_deadline_ms is read by config.settings and std::chrono at 3.14";
      await engine.write([{ ...sample({ id: "a", texts: [text], title: "read_me.md" }), revision: 1 }]);
      for (const query of [
        "deadline",
        "settings",
        "gateway_deadline_ms",
        "config.settings",
        "3.14",
        "readme me",
      ])
        assert.equal((await engine.search(query, filter, 1))[0]?.passage.text, text, query);
      await store.close();
    });

    test("attributes are told apart by all of their characters, however long", async () => {
      const { store, engine } = await open();
      const long = "v".repeat(1023);
      const values = [`${long}1`, `${long}2`, 'a","b', "", "ü\n"];
      await engine.write(
        values.map((value, at) => ({
          ...sample({ id: `d${at}`, texts: ["wing"], attributes: { 'k"': value } }),
          revision: 1,
        })),
      );
      for (const [at, value] of values.entries()) {
        const where = { ...filter, attributes: [{ key: 'k"', values: [value] }] };
        const hits = await engine.search("wing", where, 10);
        assert.deepEqual(
          hits.map(({ passage }) => passage.documentId),
          [`d${at}`],
        );
      }
      await store.close();
    });

    test("two installations whose prefixes begin alike do not see each other", async () => {
      const prefix = newPrefix();
      const one = await open(prefix);
      const other = await open(`${prefix}-passages`, "g2");
      await one.store.activate("g1");
      await other.store.activate("g2");
      assert.deepEqual(
        (await one.store.list()).map(({ generation }) => generation),
        ["g1"],
      );
      assert.deepEqual(
        (await other.store.list()).map(({ generation }) => generation),
        ["g2"],
      );
      assert.equal((await one.store.active())?.generation, "g1");
      assert.equal((await other.store.active())?.generation, "g2");
      await one.store.close();
      await other.store.close();
    });

    test("the ledger changes an entry only where nothing else has, and says in which order", async () => {
      const { store, ledger } = await open();
      const entry = {
        ...{ tenant: "t", documentId: "a", revision: 2 ** 52 + 1, version: Number.MAX_SAFE_INTEGER },
        ...{ passages: 3, fence: 7, attempt: "x", changedAt: 1_795_000_000_123 },
      };
      assert.deepEqual(await ledger.write([{ entry, instead: undefined }]), [true]);
      const [first, none] = await ledger.read([entry, { tenant: "t", documentId: "b" }]);
      assert.deepEqual([first?.entry, none], [entry, undefined]);
      assert(first);
      assert.deepEqual(await ledger.write([{ entry, instead: undefined }]), [false]);
      assert.deepEqual(await ledger.write([{ entry: { ...entry, passages: 5 }, instead: first }]), [true]);
      assert.deepEqual(await ledger.write([{ entry, instead: first }]), [false]);
      const [second] = await ledger.read([entry]);
      assert(second && second.position.sequence > first.position.sequence);
      assert.deepEqual(await Array.fromAsync(ledger.list("t")), [second]);
      assert.deepEqual(await Array.fromAsync(ledger.list("other")), []);
      assert.equal(await ledger.count(), 5);
      await ledger.forget([first]);
      assert.equal(await ledger.count(), 5);
      await ledger.forget([second]);
      assert.deepEqual(await ledger.read([entry]), [undefined]);
      await store.close();
    });

    test("while it cannot be reached vectors are searched; then all is as it was", async () => {
      const wire = await CutWire.lay(elastic);
      const prefix = newPrefix();
      const { lexical, vector } = servers.stores(prefix, { nodes: [wire.url] });
      const errors: unknown[] = [];
      const store = servers.open(prefix, { lexical, vector, onError: (error) => errors.push(error) });
      const index = await store.create(fingerprint, dimensions);
      await store.activate(index);
      await index.replace([sample({ id: "a", texts: ["wing"] }), sample({ id: "b", texts: ["tail"] })]);
      await index.replace([sample({ id: "a", texts: ["wing new"], version: 2 })]);
      const whole = await index.searchVector(vectorOf("wing"), filter, 10);

      await wire.cut();
      assert.deepEqual(await index.searchVector(vectorOf("wing"), filter, 10), whole);
      await assert.rejects(index.searchLexical("wing", filter, 10), { code: status.UNAVAILABLE });
      await assert.rejects(index.replace([sample({ id: "c", texts: ["wing"] })]), {
        code: status.UNAVAILABLE,
      });
      assert.equal((await store.active())?.generation, index.generation);

      await wire.mend();
      // The circuit breaker lets a call through now and then, and closes when one succeeds.
      for (;;) {
        const hits = await index.searchLexical("wing", filter, 10).catch(HeadwaterError.from);
        if (Array.isArray(hits)) break;
        assert.equal(hits.code, status.UNAVAILABLE);
        await delay(50);
      }
      for (;;) {
        const failed = await index.replace([sample({ id: "c", texts: ["wing"] })]).catch(HeadwaterError.from);
        if (!failed) break;
        assert.equal(failed.code, status.UNAVAILABLE);
        await delay(50);
      }
      assert.deepEqual((await Array.fromAsync(index.listDocuments())).length, 3);
      assert.equal(await index.count(), 3);
      await store.close();
      await wire.cut();
    });
  });
}
