import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { ServiceProcess } from "@headwater/cli/service-process";
import type { SmallDisk } from "@headwater/testing";
import { mountSmallDisk, temporaryFolder } from "@headwater/testing";
import type { RealServers } from "../support/real-servers.ts";
import { useRealServers } from "../support/real-servers.ts";
import { QdrantDoubleProcess } from "./qdrant-double-process.ts";
import { ServerProcess } from "./server-process.ts";

export interface InstallationNeeds {
  /** Processes of ingest. */
  readonly ingests: number;
  /** The embedding-worker itself, or the fake one, whose vectors cost nothing. */
  readonly embedding: "real" | "fake";
  /** Originals lie in a folder on a disk of its own, in place of S3. */
  readonly smallDisk: boolean;
}

/** The servers that a case may hurt, and what starts each again. */
export const startCommands = {
  kafka: { address: "KAFKA_BROKERS", start: "KAFKA_START" },
  elasticsearch: { address: "ELASTICSEARCH_URL", start: "ELASTICSEARCH_START" },
  postgres: { address: "POSTGRES_URL", start: "POSTGRES_START" },
} as const;
export type ServerName = keyof typeof startCommands;

/** Milliseconds; as low as brokers allow, so that a process that died does not hold its partitions for long. */
const sessionTimeoutMs = "6000";
const diskMebibytes = 8;
const embeddingMain = {
  real: "embedding-worker",
  fake: new URL("./fake-embedding-main.ts", import.meta.url),
} as const;

/** Real servers, and the services that work on them, each in a process of its own that may be killed. */
export class Installation {
  readonly servers: RealServers;
  readonly qdrantDouble: QdrantDoubleProcess | undefined;
  readonly #environment: Record<string, string>;
  readonly #needs: InstallationNeeds;
  readonly #disk: SmallDisk | undefined;
  readonly #embeddingAddress: string;
  #embedding: ServiceProcess | undefined;
  readonly #ingests: (ServiceProcess | undefined)[] = [];
  /** Told to die; whoever else has ended has crashed. */
  readonly #killed = new Set<ServiceProcess>();

  private constructor(
    needs: InstallationNeeds,
    parts: {
      readonly servers: RealServers;
      readonly qdrantDouble: QdrantDoubleProcess | undefined;
      readonly disk: SmallDisk | undefined;
      readonly dataFolder: string;
      readonly embeddingAddress: string;
    },
  ) {
    this.#needs = needs;
    this.servers = parts.servers;
    this.qdrantDouble = parts.qdrantDouble;
    this.#disk = parts.disk;
    this.#embeddingAddress = parts.embeddingAddress;
    const { HEADWATER_S3_BUCKET, ...withoutBucket } = parts.servers.environment;
    this.#environment = {
      ...(parts.disk ? withoutBucket : parts.servers.environment),
      HEADWATER_DATA_DIR: parts.disk?.folder ?? parts.dataFolder,
      HEADWATER_KAFKA_SESSION_TIMEOUT_MS: sessionTimeoutMs,
      HEADWATER_EMBEDDING_ADDRESS: parts.embeddingAddress,
    };
  }

  /** @throws Error where a server is missing, or a disk is needed and cannot be mounted */
  static async start(needs: InstallationNeeds): Promise<Installation> {
    await using opened = new AsyncDisposableStack();
    const dataFolder = await temporaryFolder();
    const qdrantDouble = process.env["QDRANT_URL"]
      ? undefined
      : opened.adopt(await QdrantDoubleProcess.start(join(dataFolder, "qdrant.jsonl")), (double) =>
          double.kill(),
        );
    const servers = opened.adopt(await useRealServers(qdrantDouble?.url), (used) => used.stop());
    const disk = needs.smallDisk ? await mountSmallDisk(diskMebibytes) : undefined;
    if (disk) opened.adopt(disk, (mounted) => mounted.remove());
    if (needs.smallDisk && !disk) throw new Error("a small disk cannot be mounted here: that needs root");
    const installation = opened.adopt(
      new Installation(needs, {
        ...{ servers, qdrantDouble, disk, dataFolder },
        embeddingAddress: `127.0.0.1:${await freePort()}`,
      }),
      (started) => started.#killServices(),
    );
    await installation.startEmbedding();
    for (let place = 0; place < needs.ingests; place += 1) await installation.startIngest(place);
    opened.move();
    return installation;
  }

  /** Settings that point at its stores. */
  get environment(): Record<string, string> {
    return this.#environment;
  }

  get ingests(): readonly ServiceProcess[] {
    return this.#ingests.filter((one) => one !== undefined);
  }

  /** host:port of one that runs, the first where it does. */
  get ingestAddress(): string {
    return (this.ingests.find(({ runs }) => runs) ?? this.ingest(0)).address;
  }

  ingest(place: number): ServiceProcess {
    const found = this.#ingests[place];
    if (!found) throw new RangeError(`there is no ingest ${place}`);
    return found;
  }

  async startIngest(place: number): Promise<void> {
    this.#ingests[place] = await ServiceProcess.start("ingest", {
      ...this.#environment,
      HEADWATER_INGEST_LISTEN: "127.0.0.1:0",
    });
  }

  async killIngest(place: number): Promise<void> {
    this.#killed.add(this.ingest(place));
    await this.ingest(place).kill();
  }

  /** In order: what it has under way is finished or handed back. */
  async stopIngest(place: number): Promise<void> {
    this.#killed.add(this.ingest(place));
    await this.ingest(place).stop();
  }

  async startEmbedding(): Promise<void> {
    this.#embedding = await ServiceProcess.start(embeddingMain[this.#needs.embedding], {
      ...this.#environment,
      HEADWATER_EMBEDDING_LISTEN: this.#embeddingAddress,
    });
  }

  async killEmbedding(): Promise<void> {
    if (!this.#embedding) return;
    this.#killed.add(this.#embedding);
    await this.#embedding.kill();
  }

  /** @throws Error where the environment does not say how to start it again */
  server(name: ServerName): ServerProcess {
    const { address, start } = startCommands[name];
    const command = process.env[start];
    if (!command) throw new Error(`${start} is not set`);
    return new ServerProcess(process.env[address] ?? "", command);
  }

  /** Leaves no byte free. @returns frees them again */
  async fillDisk(): Promise<() => Promise<void>> {
    if (!this.#disk) throw new Error("this installation has no small disk");
    const filler = join(this.#disk.folder, "filler");
    const tooMuch = Buffer.alloc(2 * diskMebibytes * 2 ** 20);
    await writeFile(filler, tooMuch).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== "ENOSPC") throw thrown;
    });
    return () => writeFile(filler, "");
  }

  /** Services that ended though nobody had told them to, with what they said last. */
  crashes(): string[] {
    return [...this.ingests, ...(this.#embedding ? [this.#embedding] : [])]
      .filter((one) => !one.runs && !this.#killed.has(one))
      .map((one) => one.lastWords.slice(-20).join("\n"));
  }

  async stop(): Promise<void> {
    await this.#killServices();
    await this.servers.stop();
    await this.qdrantDouble?.kill();
    await this.#disk?.remove();
  }

  async #killServices(): Promise<void> {
    for (const service of [...this.ingests, this.#embedding]) {
      // A frozen one could not even be killed by its parent's wait.
      service?.thaw();
      await service?.kill();
    }
  }
}

/** One that the system has just given and taken back; a service that is killed has to come back on its own. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof bound !== "object" || bound === null) throw new TypeError("a TCP server has a port");
  return bound.port;
}
