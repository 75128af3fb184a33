import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ServiceProcess } from "@headwater/cli/service-process";

const port = 17_102;

/**
 * Real embedding-workers outside of the cluster, as many as a Deployment has replicas: what a kubelet and a name server
 * would do with them. Each listens on an address of its own of loopback.
 */
export class WorkerPods {
  /** The name server's list, see scaler-main.ts. */
  readonly list: string;
  /** What the scaler calls them. */
  readonly address = `embedding-worker:${port}`;
  readonly #folder: string;
  readonly #callers: readonly string[];
  readonly #pods: ServiceProcess[] = [];
  #wanted = 0;
  #changing: Promise<void> = Promise.resolve();

  /** @param callers addresses of those who wait for the workers, whom the list names `ingest` */
  constructor(folder: string, callers: readonly string[]) {
    this.#folder = folder;
    this.#callers = callers;
    this.list = join(folder, "pods.json");
  }

  /** host:port of those that serve. */
  get addresses(): readonly string[] {
    return this.#pods.map(({ address }) => address);
  }

  /** As many as that, from now on. */
  scale(replicas: number): void {
    this.#wanted = replicas;
    this.#changing = this.#changing.then(() => this.#change());
  }

  async close(): Promise<void> {
    this.scale(0);
    await this.#changing;
  }

  async #change(): Promise<void> {
    while (this.#pods.length !== this.#wanted) {
      if (this.#pods.length < this.#wanted) {
        const at = `127.0.0.${11 + this.#pods.length}`;
        const pod = await ServiceProcess.start("embedding-worker", {
          HEADWATER_EMBEDDING_LISTEN: `${at}:${port}`,
          HEADWATER_DATA_DIR: join(this.#folder, at),
          HEADWATER_EMBEDDING_THREADS: "1",
        });
        this.#pods.push(pod);
        await this.tell();
      } else {
        const pod = this.#pods.pop();
        await this.tell();
        await pod?.stop();
      }
    }
  }

  /** Writes the list. */
  async tell(): Promise<void> {
    const hostOf = (address: string) => address.slice(0, address.lastIndexOf(":"));
    const names = { "embedding-worker": this.addresses.map(hostOf), ingest: this.#callers };
    await writeFile(`${this.list}.new`, JSON.stringify(names));
    await rename(`${this.list}.new`, this.list);
  }
}
