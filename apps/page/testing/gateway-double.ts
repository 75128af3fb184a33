import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { Agent } from "@headwater/proto/connect/headwater/v1/agent";
import { AgentService } from "@headwater/proto/connect/headwater/v1/agent";
import type { ChatRequest } from "@headwater/proto/connect/headwater/v1/conversation";
import { ConversationService } from "@headwater/proto/connect/headwater/v1/conversation";
import type { Feedback } from "@headwater/proto/connect/headwater/v1/feedback";
import { FeedbackService } from "@headwater/proto/connect/headwater/v1/feedback";
import type { AnswerRequest, AnswerResponseSchema } from "@headwater/proto/connect/headwater/v1/generation";
import { GenerationService } from "@headwater/proto/connect/headwater/v1/generation";
import { DocumentState, IngestService } from "@headwater/proto/connect/headwater/v1/ingest";
import { JobService } from "@headwater/proto/connect/headwater/v1/job";
import type { Memory } from "@headwater/proto/connect/headwater/v1/memory";
import { MemoryService } from "@headwater/proto/connect/headwater/v1/memory";
import { PromptService } from "@headwater/proto/connect/headwater/v1/prompt";
import type { SearchRequest } from "@headwater/proto/connect/headwater/v1/search";
import { SearchService } from "@headwater/proto/connect/headwater/v1/search";
import { agentDouble } from "./agent-double.ts";
import type { TurnGiven, TurnMessage } from "./conversation-double.ts";
import { ConversationDouble } from "./conversation-double.ts";
import { DocumentStoreDouble } from "./document-store-double.ts";
import { ingestDouble } from "./ingest-double.ts";
import { JobDouble } from "./job-double.ts";
import { memoryDouble } from "./memory-double.ts";
import { promptDouble } from "./prompt-double.ts";
import type { SearchMessage } from "./search-double.ts";

type NodeServerRequest = Parameters<ReturnType<typeof connectNodeAdapter>>[0];
type NodeServerResponse = Parameters<ReturnType<typeof connectNodeAdapter>>[1];

export type AnswerMessage = MessageInitShape<typeof AnswerResponseSchema>;

/** What a test decides: how the services answer. */
export interface GatewayScript {
  search(request: SearchRequest, signal: AbortSignal): AsyncIterable<SearchMessage>;
  answer(request: AnswerRequest, signal: AbortSignal): AsyncIterable<AnswerMessage>;
  /** A turn of a conversation: what comes between its start and its end, and the end. */
  chat(request: ChatRequest, given: TurnGiven): AsyncIterable<TurnMessage>;
  /** Called for each file that was uploaded; a string refuses it with these words. */
  receive(id: string): string | undefined;
}

export interface GatewayDouble {
  readonly url: string;
  readonly store: DocumentStoreDouble;
  readonly conversations: ConversationDouble;
  readonly feedback: readonly Feedback[];
  readonly agents: ReadonlyMap<string, Agent>;
  readonly memories: readonly Memory[];
  readonly jobs: JobDouble;
  /** Tests put functions of their own in its place. */
  readonly script: GatewayScript;
  close(): Promise<void>;
}

/** As strict as a careful operator makes it: nothing inline, nothing from elsewhere. */
const contentSecurityPolicy =
  "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

/** A server with the gateway's doors that the page uses, and documents in memory behind them. `kept`: conversations of one before. */
export async function startGatewayDouble(
  distFolder: string,
  scriptOf: (store: DocumentStoreDouble) => GatewayScript,
  port = 0,
  kept?: ConversationDouble,
): Promise<GatewayDouble> {
  const store = new DocumentStoreDouble();
  const script = scriptOf(store);
  const conversations = kept ?? new ConversationDouble((request, given) => script.chat(request, given));
  const feedback: Feedback[] = [];
  const agents = new Map<string, Agent>();
  const memories: Memory[] = [];
  const jobs = new JobDouble();
  const leaving = new AbortController();
  const rpc = connectNodeAdapter({
    shutdownSignal: leaving.signal,
    routes(router) {
      router.service(IngestService, ingestDouble(store));
      router.service(SearchService, { search: (request, { signal }) => script.search(request, signal) });
      router.service(GenerationService, {
        answer: (request, { signal }) => script.answer(request, signal),
        listModels: () => ({ models: [{ name: "extractive", provider: "extractive", isDefault: true }] }),
      });
      router.service(ConversationService, conversations.service());
      router.service(AgentService, agentDouble(agents));
      router.service(MemoryService, memoryDouble(memories));
      router.service(JobService, jobs.service());
      router.service(PromptService, promptDouble());
      router.service(FeedbackService, {
        giveFeedback: ({ feedback: given }) => {
          if (given) feedback.unshift(given);
          return given ? { feedback: given } : {};
        },
        listFeedback: () => ({ feedback }),
      });
    },
    fallback(request, response) {
      const { pathname } = new URL(request.url ?? "/", "http://double");
      const work =
        request.method === "POST" && pathname === "/v1/documents"
          ? receiveDocuments(request, response, store, script)
          : serveFile(response, distFolder, pathname);
      work.catch((thrown: unknown) => response.destroy(thrown instanceof Error ? thrown : undefined));
    },
  });
  const server = createServer(rpc);
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the double has no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    store,
    conversations,
    feedback,
    agents,
    memories,
    jobs,
    script,
    async close() {
      leaving.abort();
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serveFile(response: NodeServerResponse, folder: string, pathname: string): Promise<void> {
  const path = pathname === "/" ? "index.html" : normalize(decodeURIComponent(pathname)).slice(1);
  try {
    const content = await readFile(join(folder, path));
    response.writeHead(200, {
      "content-type": contentTypes[extname(path)] ?? "application/octet-stream",
      "content-security-policy": contentSecurityPolicy,
      "cross-origin-opener-policy": "same-origin",
    });
    response.end(content);
  } catch {
    // The only thing that a test asks for and is not there.
    response.writeHead(404);
    response.end();
  }
}

/** The field that goes before each file. */
interface Described {
  id: string;
  title?: string;
  media_type?: string;
  attributes?: Record<string, string>;
}

async function receiveDocuments(
  request: NodeServerRequest,
  response: NodeServerResponse,
  store: DocumentStoreDouble,
  script: GatewayScript,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const form = await new Response(Buffer.concat(chunks), {
    headers: { "content-type": request.headers["content-type"] ?? "" },
  }).formData();
  const said = form.getAll("document").map((text): Described => JSON.parse(String(text)));
  const receipts: string[] = [];
  for (const [index, file] of form.getAll("file").entries()) {
    const described = said[index];
    if (!described) throw new Error("a file without its field");
    const { id, title = "", media_type: mediaType = "", attributes = {} } = described;
    const refusal = script.receive(id);
    if (refusal !== undefined) {
      receipts.push(JSON.stringify({ id, error: { reason: "HW_DOCUMENT_REFUSED", message: refusal } }));
      continue;
    }
    const text = typeof file === "string" ? file : await file.text();
    const stored = store.put(
      {
        id,
        title: title ?? "",
        mediaType: mediaType ?? (file instanceof Blob ? file.type : ""),
        attributes,
        text,
      },
      DocumentState.QUEUED,
    );
    receipts.push(JSON.stringify({ id, version: stored.version, partition: 0, offset: index }));
  }
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  response.end(`${receipts.join("\n")}\n`);
}
