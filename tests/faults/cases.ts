import type { FaultCase } from "./fault-case.ts";
import type { Installation, InstallationNeeds, ServerName } from "./installation.ts";

const ordinary: InstallationNeeds = { ingests: 1, embedding: "fake", smallDisk: false };
const short = [200, 3000] as const;
/** Beyond the patience of most requests, and of the consumer group. */
const long = [1000, 15_000] as const;

export const faultCases: readonly FaultCase[] = [
  {
    name: "duplicates",
    fault: "none but duplicate and out-of-order events",
    needs: ordinary,
    outageMs: [0, 0],
  },
  {
    ...{ name: "ingest", fault: "kill -9 of ingest", needs: ordinary, outageMs: short },
    async hurt(installation) {
      await installation.killIngest(0);
      return () => installation.startIngest(0);
    },
  },
  {
    ...{ name: "embedding-worker", fault: "kill -9 of the embedding-worker", outageMs: short },
    needs: { ...ordinary, embedding: "real" },
    async hurt(installation) {
      await installation.killEmbedding();
      return () => installation.startEmbedding();
    },
  },
  killedServer("kafka", "Kafka"),
  killedServer("elasticsearch", "Elasticsearch"),
  killedServer("postgres", "PostgreSQL"),
  {
    ...{ name: "qdrant", fault: "kill -9 of the Qdrant double", needs: ordinary, outageMs: short },
    async hurt(installation) {
      const double = doubleOf(installation);
      await double.kill();
      return () => double.restart();
    },
  },
  frozenServer("kafka", "Kafka"),
  frozenServer("elasticsearch", "Elasticsearch"),
  frozenServer("postgres", "PostgreSQL"),
  {
    ...{ name: "frozen-qdrant", fault: "kill -STOP of the Qdrant double", needs: ordinary, outageMs: long },
    async hurt(installation) {
      const double = doubleOf(installation);
      double.freeze();
      return async () => double.thaw();
    },
  },
  {
    ...{ name: "frozen-ingest", fault: "kill -STOP of one of two ingest processes", outageMs: long },
    needs: { ...ordinary, ingests: 2 },
    async hurt(installation, random) {
      const frozen = installation.ingest(random.integer(0, 1));
      frozen.freeze();
      return async () => frozen.thaw();
    },
  },
  {
    ...{ name: "full-disk", fault: "full disk for the blob store", outageMs: short },
    needs: { ...ordinary, smallDisk: true },
    hurt: (installation) => installation.fillDisk(),
  },
  {
    ...{ name: "rebalance", fault: "one of three ingest processes killed, another restarted, under load" },
    ...{ needs: { ...ordinary, ingests: 3 }, outageMs: short },
    async hurt(installation, random) {
      const killed = random.integer(0, 2);
      const restarted = (killed + random.integer(1, 2)) % 3;
      await installation.killIngest(killed);
      await restart(installation, restarted);
      return () => installation.startIngest(killed);
    },
  },
];

/** Cases that hurt only processes of our own. */
export const quickCases = ["duplicates", "ingest", "embedding-worker", "qdrant", "full-disk", "rebalance"];

function killedServer(server: ServerName, title: string): FaultCase {
  return {
    ...{ name: server, fault: `kill -9 of ${title}`, needs: ordinary, server, outageMs: short },
    async hurt(installation: Installation) {
      const process = installation.server(server);
      await process.kill();
      return () => process.start();
    },
  };
}

function frozenServer(server: ServerName, title: string): FaultCase {
  return {
    ...{ name: `frozen-${server}`, fault: `kill -STOP of ${title}`, needs: ordinary, server, outageMs: long },
    async hurt(installation: Installation) {
      const process = installation.server(server);
      await process.freeze();
      return async () => process.thaw();
    },
  };
}

async function restart(installation: Installation, place: number): Promise<void> {
  await installation.stopIngest(place);
  await installation.startIngest(place);
}

function doubleOf({ qdrantDouble }: Installation) {
  if (!qdrantDouble) throw new Error("QDRANT_URL names a server that cannot be hurt from here");
  return qdrantDouble;
}
