import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HeadwaterProcess } from "@headwater/cli/headwater-process";
import type { HeadwaterClient } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";
import type { MalformedDocument } from "@headwater/ingest/testing/malformed";
import { temporaryFolder } from "@headwater/testing";
import { runHeadwater } from "../support/run-headwater.ts";
import type { MalformedInput } from "./malformed-input.ts";
import { checkText, reasonIn } from "./malformed-input.ts";

/** Pushes documents for a tenant, and gives what was told of each at the door. */
type Push = (
  system: HeadwaterProcess,
  tenant: string,
  documents: readonly MalformedDocument[],
) => Promise<Told>;

interface Told {
  /** Ids that are in the log. */
  readonly accepted: readonly string[];
  /** Reason of each refusal at the door. */
  readonly refused: readonly string[];
}

/** Documents that go in together; all have to end indexed, or failed with a stage and a reason. */
export function documentInput(batch: number, documents: readonly MalformedDocument[]): MalformedInput {
  const [way, push] = ways[batch % ways.length] ?? ["gRPC", overGrpc];
  const tenant = `batch-${batch}`;
  return {
    door: "documents",
    name: `${way}, ${tenant}: ${documents.map(({ name, why }) => `${name} (${why})`).join("; ")}`.slice(
      0,
      4000,
    ),
    async send(system) {
      const { accepted, refused } = await push(system, tenant, documents);
      const told = accepted.length + refused.length;
      if (told !== documents.length) throw new Error(`${documents.length} documents, ${told} were told of`);
      const ended = await withClient(system, (client) => settle(client, tenant, accepted));
      return [...refused.map((reason) => `refused ${reason}`), ...ended].map((line) => `${way}: ${line}`);
    },
  };
}

const ways: readonly (readonly [string, Push])[] = [
  ["gRPC", overGrpc],
  ["multipart", overMultipart],
  ["JSON Lines", overJsonLines],
  ["headwater ingest", overCommand],
];

async function withClient<T>(
  system: HeadwaterProcess,
  work: (client: HeadwaterClient) => Promise<T>,
): Promise<T> {
  const transport = createNodeTransport({ address: system.address("gateway") });
  try {
    return await work(createHeadwaterClient({ transport }));
  } finally {
    transport.close();
  }
}

/** Milliseconds for a batch to be indexed while all cores are busy. */
const settleMs = 180_000;

async function settle(client: HeadwaterClient, tenant: string, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const ends = new Map<string, string>();
  const signal = AbortSignal.timeout(settleMs);
  for await (const { id, state, failure } of client.documents.watch({
    tenant,
    ids,
    untilSettled: true,
    signal,
  })) {
    if (state === "indexed") ends.set(id, "indexed");
    else if (state === "failed") {
      const { stage = "", reason = "", message = "" } = failure ?? {};
      checkText(`${reason} ${message}`);
      if (stage === "" || !reason.startsWith("HW_") || message === "")
        throw new Error(`${id} failed without a stage or a reason: ${JSON.stringify(failure)}`);
      ends.set(id, `failed at ${stage} ${reason}`);
    }
  }
  for (const id of ids) if (!ends.has(id)) throw new Error(`${id} is neither indexed nor failed`);
  return [...ends.values()];
}

function overGrpc(
  system: HeadwaterProcess,
  tenant: string,
  documents: readonly MalformedDocument[],
): Promise<Told> {
  const sent = documents.map(({ name, mediaType, content }) => ({ id: name, mediaType, content }));
  return withClient(system, async (client) => {
    const receipts = await Array.fromAsync(client.documents.push(sent, { tenant }));
    return toldBy(receipts);
  });
}

interface ReceiptLike {
  readonly id: string;
  readonly error?: { readonly reason: string; readonly message: string } | undefined;
}

function toldBy(receipts: readonly ReceiptLike[]): Told {
  for (const { error } of receipts) {
    if (!error) continue;
    checkText(`${error.reason} ${error.message}`);
    if (!error.reason.startsWith("HW_"))
      throw new Error(`a refusal without a reason: ${JSON.stringify(error)}`);
  }
  return {
    accepted: receipts.flatMap(({ id, error }) => (error ? [] : [id])),
    refused: receipts.flatMap(({ error }) => (error ? [error.reason] : [])),
  };
}

async function overMultipart(
  system: HeadwaterProcess,
  tenant: string,
  documents: readonly MalformedDocument[],
): Promise<Told> {
  const boundary = "a-boundary-that-no-document-holds";
  const parts = documents.flatMap(({ name, mediaType, content }) => [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n` +
        `${mediaType === "" ? "" : `content-type: ${mediaType}\r\n`}\r\n`,
    ),
    content,
    Buffer.from("\r\n"),
  ]);
  const body = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
  return post(system, tenant, `multipart/form-data; boundary=${boundary}`, body);
}

async function overJsonLines(
  system: HeadwaterProcess,
  tenant: string,
  documents: readonly MalformedDocument[],
): Promise<Told> {
  const lines = documents.map(({ name, mediaType, content }) =>
    JSON.stringify({
      id: name,
      ...(mediaType === "" ? {} : { media_type: mediaType }),
      content_base64: Buffer.from(content).toString("base64"),
    }),
  );
  return post(system, tenant, "application/x-ndjson", Buffer.from(lines.join("\n")));
}

async function post(
  system: HeadwaterProcess,
  tenant: string,
  contentType: string,
  body: Buffer,
): Promise<Told> {
  const response = await fetch(`${system.url}/v1/documents`, {
    method: "POST",
    headers: { "content-type": contentType, "x-headwater-tenant": tenant },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(settleMs),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${text.slice(0, 500)}`);
  const lines = text.split("\n").filter((line) => line !== "");
  return toldBy(lines.map((line) => JSON.parse(line) as ReceiptLike));
}

/** Files in a folder, taken in by the command; an empty media type is what every file has. */
async function overCommand(
  system: HeadwaterProcess,
  tenant: string,
  documents: readonly MalformedDocument[],
): Promise<Told> {
  const folder = join(await temporaryFolder(), "files");
  await mkdir(folder);
  await Promise.all(documents.map(({ name, content }) => writeFile(join(folder, name), content)));
  const { code, stdout, stderr } = await runHeadwater(
    ["ingest", folder, "--json", "--server", system.url, "--tenant", tenant],
    { timeoutMs: settleMs },
  );
  await rm(folder, { recursive: true });
  checkText(stdout + stderr);
  // 4: the command ran, and some documents could not be taken or indexed.
  if (code !== 0 && code !== 4)
    throw new Error(`headwater ingest ended with ${code}: ${stderr.slice(0, 500)}`);
  const values = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ReceiptLike & { readonly type: string; readonly reason?: string });
  for (const { type, reason = "" } of values)
    if (type === "problem" && reasonIn(reason) === "") throw new Error("a problem without a reason");
  return toldBy(values.filter(({ type }) => type === "receipt"));
}
