import type { LanguageModel } from "@headwater/language-model";
import type {
  CorrectMemoryRequest,
  ForgetAllMemoriesRequest,
  ForgetMemoryRequest,
  ListMemoriesRequest,
  MemoryServiceImplementation,
  RememberRequest,
  SearchMemoriesRequest,
} from "@headwater/proto/services/headwater/v1/memory";
import type { RpcContext } from "@headwater/rpc";
import { checkPageSize, checkUuid, checkWhose, decodeTimePlace, timePlaceOf, toPage } from "@headwater/rpc";
import type { CallContext } from "nice-grpc";
import type { Memories } from "./memories.ts";
import { checkHits, checkQuery, checkStatement, listOf } from "./requests.ts";

/** The rpcs of MemoryService. */
export class MemoryHandlers implements MemoryServiceImplementation<RpcContext> {
  readonly #memories: Memories;
  readonly #model: LanguageModel;

  /** @param model reads statements that are told by themselves */
  constructor(memories: Memories, model: LanguageModel) {
    this.#memories = memories;
    this.#model = model;
  }

  async listMemories(request: ListMemoriesRequest) {
    const owner = checkWhose(request);
    const size = checkPageSize(request.pageSize);
    const found = await this.#memories.list(
      owner,
      size + 1,
      decodeTimePlace(listOf(owner), request.pageToken),
    );
    const { page, nextPageToken } = toPage(found, size, listOf(owner), ({ createdTime: time, id }) =>
      timePlaceOf({ time, id }),
    );
    return { memories: page, nextPageToken };
  }

  async searchMemories(request: SearchMemoriesRequest, { signal }: CallContext) {
    const owner = checkWhose(request);
    const query = checkQuery(request.query);
    return { memories: await this.#memories.search(owner, query, checkHits(request.limit), signal) };
  }

  async remember(request: RememberRequest, { signal }: CallContext) {
    const statement = checkStatement("The statement", request.statement);
    const source = { conversationId: "", model: this.#model };
    return { decision: await this.#memories.remember(checkWhose(request), statement, source, signal) };
  }

  async correctMemory(request: CorrectMemoryRequest, { signal }: CallContext) {
    const owner = checkWhose(request);
    const text = checkStatement("The text", request.text);
    return { memory: await this.#memories.correct(owner, checkUuid(request.id), text, signal) };
  }

  async forgetMemory(request: ForgetMemoryRequest) {
    await this.#memories.forget(checkWhose(request), checkUuid(request.id));
    return {};
  }

  async forgetAllMemories(request: ForgetAllMemoriesRequest) {
    return { forgotten: await this.#memories.forgetAll(checkWhose(request)) };
  }
}
