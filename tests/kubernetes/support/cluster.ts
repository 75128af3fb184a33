import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const maxBuffer = 64 * 1024 * 1024;

/** The chart's folder. */
export const chart = fileURLToPath(new URL("../../../helm/headwater", import.meta.url));

/** What the tests on a cluster are skipped for; undefined where KUBECONFIG names one. */
export const noCluster = process.env.KUBECONFIG ? undefined : "KUBECONFIG names no cluster";

/** A namespace of a test's own, under the restricted Pod Security Standard, which goes with all that is in it. */
export interface Namespace extends AsyncDisposable {
  readonly name: string;
  /** Runs kubectl in the namespace. @returns what it printed @throws Error with what it complained of */
  kubectl(...args: readonly string[]): Promise<string>;
  /** Reads objects as JSON: `get("pods", "-l", "app=x")`. */
  get<T>(...args: readonly string[]): Promise<T>;
  /** Creates or changes objects. */
  apply(...objects: readonly object[]): Promise<void>;
  /** Runs helm in the namespace. */
  helm(...args: readonly string[]): Promise<string>;
}

export async function createNamespace(purpose: string): Promise<Namespace> {
  const name = `headwater-${purpose}-${randomBytes(3).toString("hex")}`;
  const kubectl = (...args: readonly string[]) => command("kubectl", ["--namespace", name, ...args]);
  const apply = async (...objects: readonly object[]) => {
    await command("kubectl", ["--namespace", name, "apply", "-f", "-"], JSON.stringify(listOf(objects)));
  };
  await apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
  });
  return {
    name,
    kubectl,
    apply,
    get: async <T>(...args: readonly string[]) =>
      JSON.parse(await kubectl("get", ...args, "-o", "json")) as T,
    helm: (...args) => command("helm", ["--namespace", name, ...args]),
    async [Symbol.asyncDispose]() {
      await command("kubectl", ["delete", "namespace", name, "--ignore-not-found", "--timeout=120s"]);
    },
  };
}

/** @param input what the program reads */
async function command(program: string, args: readonly string[], input?: string): Promise<string> {
  const running = run(program, args, { maxBuffer });
  running.child.stdin?.end(input ?? "");
  return (await running).stdout;
}

function listOf(items: readonly object[]): object {
  return { apiVersion: "v1", kind: "List", items };
}
