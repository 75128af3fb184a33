import assert from "node:assert/strict";
import { after } from "node:test";
import type { RunningService } from "@headwater/service";
import { silentTelemetry } from "@headwater/telemetry";
import type { ServiceDoubles } from "@headwater/testing/service-doubles";
import { startServiceDoubles } from "@headwater/testing/service-doubles";
import { readGatewayConfig } from "../config.ts";
import { startGateway } from "../server.ts";

/** A gateway on a free port in front of service doubles; closed at the end of the test file. */
export interface Fixture {
  readonly gateway: RunningService;
  readonly doubles: ServiceDoubles;
  readonly baseUrl: string;
  url(path: string): string;
  /** A further gateway in front of the same doubles, as when one is restarted. @param settings that differ */
  another(settings?: Record<string, string>): Promise<RunningService>;
  /** Sends JSON. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** POSTs JSON. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** @param settings HEADWATER_GATEWAY_… beside the addresses */
export async function startFixture(settings: Record<string, string> = {}): Promise<Fixture> {
  const doubles = await startServiceDoubles();
  const environment = {
    HEADWATER_GATEWAY_LISTEN: "127.0.0.1:0",
    HEADWATER_INGEST_ADDRESS: doubles.ingest.address,
    HEADWATER_SEARCH_ADDRESS: doubles.search.address,
    HEADWATER_GENERATION_ADDRESS: doubles.generation.address,
    HEADWATER_EMBEDDING_ADDRESS: doubles.embedding.address,
    ...settings,
  };
  const gateways: RunningService[] = [];
  const another: Fixture["another"] = async (others = {}) => {
    const config = readGatewayConfig({ ...environment, ...others });
    const started = await startGateway(config, silentTelemetry("gateway"));
    gateways.push(started);
    return started;
  };
  const gateway = await another();
  after(async () => {
    await Promise.all(gateways.map((started) => started.close(500)));
    await doubles.close();
  });
  const baseUrl = `http://${gateway.address}`;
  const send: Fixture["send"] = (method, path, body, headers = {}) =>
    fetch(`${baseUrl}${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  return {
    gateway,
    doubles,
    baseUrl,
    url: (path) => `${baseUrl}${path}`,
    another,
    send,
    post: (path, body, headers = {}) =>
      send("POST", path, body, { "content-type": "application/json", ...headers }),
  };
}

/** What a failed request was answered with. */
export interface Failure {
  status: number;
  code: string;
  reason: string;
  message: string;
  action: string;
  requestId: string;
}

/** The error of a response, after a check that it has the form that all errors have. */
export async function failureOf(response: Response): Promise<Failure> {
  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  const { error } = (await response.json()) as { error: Record<string, string> };
  const { code = "", reason = "", message = "", action = "", request_id: requestId = "" } = error;
  assert.match(reason, /^HW_[A-Z_]+$/);
  assert.notEqual(message, "");
  assert.equal(requestId, response.headers.get("x-request-id"));
  return { status: response.status, code, reason, message, action, requestId };
}

/** A server-sent event as a client sees it. */
export interface SeenEvent {
  readonly event: string;
  readonly data: unknown;
  /** Empty: none. */
  readonly id: string;
}

/** Server-sent events of a response, as they come. */
export async function* eventsOf(response: Response): AsyncGenerator<SeenEvent> {
  assert(response.body);
  let text = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true });
    for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const event = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      const id = /^id: (.*)$/m.exec(block)?.[1] ?? "";
      if (event !== undefined && data !== undefined) yield { id, event, data: JSON.parse(data) as unknown };
      else if (block.startsWith(":")) yield { id, event: "comment", data: block };
    }
  }
}
