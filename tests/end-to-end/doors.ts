import type { AnswerEvent, HeadwaterClient, SearchEvent } from "@headwater/client";
import { createHeadwaterClient } from "@headwater/client";
import { createNodeTransport } from "@headwater/client/node";

/** What a question gave, whichever way it was asked. */
export interface Asked {
  readonly text: string;
  readonly end: string;
  /** "source: quote" of each citation. */
  readonly citations: readonly string[];
}

/** A way in: what it is called, how to search and how to ask. */
export interface Door {
  readonly name: string;
  /** Passage ids of the final hits, best first. */
  search(query: string): Promise<string[]>;
  ask(question: string): Promise<Asked>;
  close(): void;
}

/** Every way into the gateway. @param gateway host:port */
export function openDoors(gateway: string, search: string, generation: string): Door[] {
  const url = `http://${gateway}`;
  const overNode = (name: string, protocol: "grpc" | "connect" | "grpc-web") => {
    const transport = createNodeTransport({ address: gateway, protocol });
    return clientDoor(name, createHeadwaterClient({ transport }), createHeadwaterClient({ transport }), () =>
      transport.close(),
    );
  };
  const straightToSearch = createNodeTransport({ address: search });
  const straightToGeneration = createNodeTransport({ address: generation });
  const inBrowser = (protocol: "connect" | "grpc-web") => {
    const client = createHeadwaterClient({ baseUrl: url, protocol });
    return clientDoor(`${protocol} over HTTP/1.1, as browsers do`, client, client, () => {});
  };
  return [
    clientDoor(
      "gRPC, straight to the services",
      createHeadwaterClient({ transport: straightToSearch }),
      createHeadwaterClient({ transport: straightToGeneration }),
      () => {
        straightToSearch.close();
        straightToGeneration.close();
      },
    ),
    overNode("gRPC through the gateway", "grpc"),
    overNode("Connect over HTTP/2", "connect"),
    overNode("gRPC-Web over HTTP/2", "grpc-web"),
    inBrowser("connect"),
    inBrowser("grpc-web"),
    jsonDoor(url),
    eventStreamDoor(url),
    webSocketDoor(`ws://${gateway}/v1/ws`),
  ];
}

function clientDoor(
  name: string,
  searching: HeadwaterClient,
  answering: HeadwaterClient,
  close: () => void,
): Door {
  return {
    name,
    search: async (query) => finalHits(await Array.fromAsync(searching.search(query))),
    ask: async (question) => asked(await Array.fromAsync(answering.answer(question))),
    close,
  };
}

function finalHits(events: readonly SearchEvent[]): string[] {
  const last = events.findLast((event) => event.type === "hits");
  return last?.type === "hits" ? last.hits.map(({ passageId }) => passageId) : [];
}

function asked(events: readonly AnswerEvent[]): Asked {
  return {
    text: events.map((event) => (event.type === "text" ? event.text : "")).join(""),
    end: events.map((event) => (event.type === "end" ? event.reason : "")).join(""),
    citations: events.flatMap((event) =>
      event.type === "citation" ? [`${event.source}: ${event.quote}`] : [],
    ),
  };
}

interface HitJson {
  readonly passage_id: string;
}

interface AnswerJson {
  readonly answer: string;
  readonly end_reason: string;
  readonly citations: readonly CitationJson[];
}

interface CitationJson {
  readonly source: number;
  readonly quote: string;
}

async function post(url: string, body: object, accept: string): Promise<Response> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", accept },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return response;
}

function jsonDoor(url: string): Door {
  return {
    name: "HTTP with JSON",
    async search(query) {
      const response = await post(`${url}/v1/search`, { query }, "application/json");
      const { hits } = (await response.json()) as { hits: HitJson[] };
      return hits.map(({ passage_id }) => passage_id);
    },
    async ask(question) {
      const response = await post(`${url}/v1/answer`, { question }, "application/json");
      const { answer, end_reason, citations } = (await response.json()) as AnswerJson;
      return { text: answer, end: end_reason, citations: citations.map(citationLine) };
    },
    close() {},
  };
}

/** Names and data of the events of a whole stream, by the rules of the HTML standard, 9.2.6. */
async function readEvents(response: Response): Promise<[string, unknown][]> {
  const events: [string, unknown][] = [];
  for (const block of (await response.text()).split("\n\n")) {
    const fields = block
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(":")), line.replace(/^[^:]*: ?/, "")]);
    const name = fields.find(([field]) => field === "event")?.[1];
    const data = fields.filter(([field]) => field === "data").map(([, text]) => text);
    if (name !== undefined && data.length > 0) events.push([name, JSON.parse(data.join("\n"))]);
  }
  return events;
}

function eventStreamDoor(url: string): Door {
  return {
    name: "HTTP with server-sent events",
    async search(query) {
      const events = await readEvents(await post(`${url}/v1/search`, { query }, "text/event-stream"));
      return hitIds(events);
    },
    async ask(question) {
      return askedOf(await readEvents(await post(`${url}/v1/answer`, { question }, "text/event-stream")));
    },
    close() {},
  };
}

function hitIds(events: readonly (readonly [string, unknown])[]): string[] {
  const last = events.findLast(([name]) => name === "hits")?.[1] as { hits: HitJson[] } | undefined;
  return (last?.hits ?? []).map(({ passage_id }) => passage_id);
}

function askedOf(events: readonly (readonly [string, unknown])[]): Asked {
  const of = <T>(wanted: string) => events.filter(([name]) => name === wanted).map(([, data]) => data as T);
  return {
    text: of<{ text: string }>("text")
      .map(({ text }) => text)
      .join(""),
    end: of<{ end_reason: string }>("end")[0]?.end_reason ?? "",
    citations: of<CitationJson>("citation").map(citationLine),
  };
}

function citationLine({ source, quote }: CitationJson): string {
  return `${source}: ${quote}`;
}

interface WebSocketReply {
  readonly id: string;
  readonly type: string;
  readonly data?: unknown;
}

function webSocketDoor(url: string): Door {
  const ask = async (type: string, request: object): Promise<[string, unknown][]> => {
    const socket = new WebSocket(url);
    const events: [string, unknown][] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        socket.onopen = () => socket.send(JSON.stringify({ id: "1", type, request }));
        socket.onerror = () => reject(new Error(`${url} failed`));
        socket.onmessage = ({ data }) => {
          const reply = JSON.parse(String(data)) as WebSocketReply;
          if (reply.type === "done") resolve();
          else if (reply.type === "error") reject(new Error(JSON.stringify(reply.data)));
          else events.push([reply.type, reply.data]);
        };
      });
    } finally {
      socket.close();
    }
    return events;
  };
  return {
    name: "WebSocket",
    search: async (query) => hitIds(await ask("search", { query })),
    ask: async (question) => askedOf(await ask("answer", { question })),
    close() {},
  };
}
