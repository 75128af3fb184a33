import { HeadwaterError, status } from "@headwater/errors";
import { loadHandlers } from "@headwater/load";
import type { WatchLoadRequest, WatchLoadResponse } from "@headwater/proto/services/headwater/v1/load";
import { LoadServiceDefinition } from "@headwater/proto/services/headwater/v1/load";
import type { RpcContext, RpcServer, TlsIdentity } from "@headwater/rpc";
import { startRpcServer } from "@headwater/rpc";
import { silentTelemetry } from "@headwater/telemetry";
import type { CallContext } from "nice-grpc";
import type { FleetPace } from "../fleet.ts";

/** As in use, with less patience. */
export const testPace: FleetPace = { resolveMs: 20, settleMs: 1000, forgetMs: 500 };

const cut = { code: status.UNAVAILABLE, reason: "HW_TEST_CUT", message: "cut" } as const;

interface Double {
  report: WatchLoadResponse;
  broken: boolean;
  server: RpcServer | undefined;
}

/** Pods of one service as doubles, each on an address of its own of loopback, and the name server that lists them. */
export class PodDoubles {
  readonly #tls: TlsIdentity | undefined;
  readonly #pods = new Map<string, Double>();
  #port = 0;
  #listed: readonly string[] = [];
  #nameServerFault: Error | undefined;

  /** @param tls who the pods are; undefined: plain text */
  constructor(tls?: TlsIdentity) {
    this.#tls = tls;
  }

  /** host:port, where the host is a name that only `resolve` knows. */
  get address(): string {
    return `pods.test:${this.#port}`;
  }

  /** Lists all that run, or none of them, or fails as told. */
  readonly resolve = async (): Promise<readonly string[]> => {
    if (this.#nameServerFault) throw this.#nameServerFault;
    return this.#listed;
  };

  /** Starts a pod that is listed once it listens. */
  async start(ip: string, report: WatchLoadResponse): Promise<void> {
    const pod: Double = { report, broken: false, server: undefined };
    const meter = <Load>(load: () => Load | undefined) => ({
      get load() {
        return load() as Load;
      },
      get lastBusyAt() {
        return performance.now() - pod.report.idleMs;
      },
    });
    const { watchLoad } = loadHandlers(
      {
        model: meter(() => pod.report.model),
        streams: meter(() => pod.report.streams),
        connections: meter(() => pod.report.connections),
        embedding: {
          get tokens() {
            return pod.report.embedding ?? { urgent: 0, passages: 0 };
          },
        },
      },
      { lookMs: 10, silenceMs: 100 },
    );
    pod.server = await startRpcServer({
      address: `${ip}:${this.#port}`,
      tls: this.#tls,
      definition: LoadServiceDefinition,
      implementation: {
        async *watchLoad(request: WatchLoadRequest, context: CallContext & RpcContext) {
          for await (const report of watchLoad(request, context)) {
            if (pod.broken) throw new HeadwaterError({ ...cut });
            // A process tells no time before its start; a double may.
            yield { ...report, idleMs: pod.report.idleMs };
          }
        },
      },
      telemetry: silentTelemetry("pod"),
      checkReadiness: async () => {},
    });
    this.#port = Number(pod.server.address.split(":").at(-1));
    this.#pods.set(ip, pod);
    this.#listed = [...this.#listed, ip];
  }

  report(ip: string, report: WatchLoadResponse): void {
    const pod = this.#pods.get(ip);
    if (pod) pod.report = report;
  }

  /** Ends as a process does that is asked to. It stays listed. */
  async drain(ip: string): Promise<void> {
    await this.#end(ip);
  }

  /** Breaks its streams, or no more. It stays listed. */
  break(ip: string, broken = true): void {
    const pod = this.#pods.get(ip);
    if (pod) pod.broken = broken;
  }

  list(...ips: readonly string[]): void {
    this.#listed = ips;
  }

  failToResolve(fault: Error | undefined): void {
    this.#nameServerFault = fault;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pods.keys()].map((ip) => this.#end(ip)));
  }

  async #end(ip: string): Promise<void> {
    await this.#pods.get(ip)?.server?.close();
    this.#pods.delete(ip);
  }
}
