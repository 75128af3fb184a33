import { fsyncSync } from "node:fs";
import type { PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

interface Stream {
  /** The descriptor of Node. */
  readonly nfd: number;
  readonly path: string;
}

interface StreamOperations {
  fsync?: (stream: Stream) => number;
  write?: (stream: Stream, ...parameters: unknown[]) => number;
}

/** What we touch of the Emscripten module that PGlite runs in. */
interface EmscriptenModule {
  readonly NODEFS?: { readonly stream_ops?: StreamOperations };
}

/**
 * The folder of a database. Emscripten's folder file system answers fsync without doing it; this one does it, so that
 * a commit outlives the power.
 */
export class SyncedFolder extends NodeFS {
  #untouched: boolean;

  /**
   * @param options.synced all files are durable. PostgreSQL begins the recovery from a crash with two fsyncs of every
   *   file, which takes seconds; they are then left out until it writes.
   */
  constructor(folder: string, options: { readonly synced: boolean }) {
    super(folder);
    this.#untouched = options.synced;
  }

  override async init(pg: PGlite, options: Parameters<NodeFS["init"]>[1]): ReturnType<NodeFS["init"]> {
    const { emscriptenOpts } = await super.init(pg, options);
    const preRun = [
      ...[emscriptenOpts.preRun ?? []].flat(),
      (module: EmscriptenModule) => this.#giveFsync(module),
    ];
    return { emscriptenOpts: { ...emscriptenOpts, preRun } };
  }

  #giveFsync(module: EmscriptenModule): void {
    const operations = module.NODEFS?.stream_ops;
    const write = operations?.write;
    if (!operations || !write)
      throw new Error("This PGlite has no NODEFS.stream_ops: it cannot be given fsync.");
    operations.write = (stream, ...parameters) => {
      // The lock file is written before the recovery, and need not outlive the process.
      if (!stream.path.endsWith("/postmaster.pid")) this.#untouched = false;
      return write(stream, ...parameters);
    };
    operations.fsync = ({ nfd }) => {
      if (!this.#untouched) fsyncSync(nfd);
      return 0;
    };
  }
}
