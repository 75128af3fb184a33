/** A route of the gateway that takes an object as JSON. */
export interface JsonRoute {
  readonly method: "POST" | "PUT" | "PATCH";
  readonly path: string;
  /** What a sound request needs at least. */
  readonly sound: Readonly<Record<string, unknown>>;
  readonly fields: readonly string[];
}

const ofJob = ["input", "priority", "max_attempts", "start_after", "idempotency_key"];
const statement = "Herons wait in shallow water.";

export const jsonRoutes: readonly JsonRoute[] = [
  post("/v1/search", { query: "tides" }, [
    ...["page_size", "page_token", "filter", "stages", "fusion", "rerank", "explain"],
  ]),
  post("/v1/answer", { question: "why?" }, [
    ...["filter", "model", "max_passages", "max_output_tokens", "temperature"],
  ]),
  post("/v1/documents", { id: "odd" }, [
    ...["text", "content_base64", "upload", "title", "uri", "media_type", "attributes", "version"],
    "observed_time",
  ]),
  post("/v1/uploads", { id: "odd", size_bytes: 5 }, []),
  post("/mcp", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "search" } }, [
    ...["result", "error"],
  ]),
  post("/v1/chat/completions", { model: "extractive", messages: [{ role: "user", content: "why?" }] }, [
    ...["stream", "stream_options", "stop", "max_tokens", "n", "tools", "headwater"],
  ]),
  post("/v1/embeddings", { model: "odd", input: "tides" }, ["encoding_format", "dimensions"]),
  post("/api/v1/chat", { message: "why?" }, [
    ...["conversation_id", "agent_id", "model", "filter", "temperature", "stateless", "history"],
    "idempotency_key",
  ]),
  post("/api/v1/chat/async", { message: "why?" }, ["conversation_id", "agent_id", "filter", ...ofJob]),
  post("/api/v1/jobs", { kind: "chat" }, ofJob),
  {
    ...post("/api/v1/jobs/schedules/odd", { kind: "chat", cron: "0 0 29 2 1" }, ["time_zone", "input"]),
    method: "PUT",
  },
  post("/api/v1/conversations", {}, ["title", "agent_id"]),
  post("/api/v1/conversations/x/fork", {}, ["message_id", "title"]),
  { ...post("/api/v1/conversations/x", { title: "odd" }, []), method: "PATCH" },
  post("/api/v1/agents", { name: "odd" }, [
    ...["description", "model", "preamble", "temperature", "top_k", "tools", "limits"],
  ]),
  { ...post("/api/v1/agents/x", { name: "odd" }, ["version", "model", "tools", "limits"]), method: "PUT" },
  post("/api/v1/prompts/odd/versions", { text: "{{question}}" }, ["note"]),
  { ...post("/api/v1/prompts/odd/labels/odd", { shares: [{ version: 1, weight: 1 }] }, []), method: "PUT" },
  post("/api/v1/prompts/render", { prompt: "odd@1" }, ["variables"]),
  post("/api/v1/feedback", { question: "why?", rating: "down" }, [
    ...["answer_id", "passage_id", "document_id", "correction", "comment", "prompt", "model"],
  ]),
  post("/api/v1/memories", { statement }, []),
  { ...post("/api/v1/memories/x", { text: statement }, []), method: "PUT" },
  post("/api/v1/memories/search", { query: "herons" }, ["limit"]),
];

function post(path: string, sound: JsonRoute["sound"], optional: readonly string[]): JsonRoute {
  return { method: "POST", path, sound, fields: [...Object.keys(sound), ...optional, "no_such"] };
}
