import type { Memory, MemoryDecision } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { counted } from "./format.ts";
import { memoryWord } from "./memory-words.ts";
import { server } from "./server.ts";

export interface MemoryList {
  /** Newest first, or, where something was searched, nearest first. */
  readonly memories: readonly Memory[];
  readonly nextPageToken: string;
  readonly loading: boolean;
  readonly fault: Fault | undefined;
}

export const memoryList = signal<MemoryList>({
  memories: [],
  nextPageToken: "",
  loading: true,
  fault: undefined,
});

/** How many memories a search shows. */
const searched = 20;

let current = new AbortController();
let query = "";

/** Lists all anew, or, with words, what is nearest to them. */
export async function listMemories(words = query): Promise<void> {
  query = words;
  await read("");
}

export async function listMoreMemories(): Promise<void> {
  const { nextPageToken } = memoryList.peek();
  if (nextPageToken !== "") await read(nextPageToken);
}

async function read(pageToken: string): Promise<void> {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  memoryList.value = { ...memoryList.peek(), loading: true, fault: undefined };
  try {
    const page =
      query === ""
        ? await server.memories.list({ pageToken, signal })
        : {
            memories: await server.memories.search(query, { limit: searched, signal }),
            nextPageToken: "",
          };
    const before = pageToken === "" ? [] : memoryList.peek().memories;
    memoryList.value = {
      memories: [...before, ...page.memories],
      nextPageToken: page.nextPageToken,
      loading: false,
      fault: undefined,
    };
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (fault) memoryList.value = { ...memoryList.peek(), loading: false, fault };
  }
}

/** @returns the decision, or what went wrong */
export async function teach(statement: string): Promise<{ decision?: MemoryDecision; fault?: Fault }> {
  try {
    const decision = await server.memories.remember(statement);
    announce(`${memoryWord[decision.action]}, surprise ${decision.surprise.toFixed(2)}`);
    await listMemories();
    return { decision };
  } catch (thrown) {
    const fault = faultOf(thrown);
    return fault ? { fault } : {};
  }
}

/** @returns what went wrong, if something did */
export async function correctMemory(id: string, text: string): Promise<Fault | undefined> {
  try {
    const corrected = await server.memories.correct(id, text);
    const { memories } = memoryList.peek();
    memoryList.value = {
      ...memoryList.peek(),
      memories: memories.map((memory) => (memory.id === id ? corrected : memory)),
    };
    announce("Corrected.");
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** @returns what went wrong, if something did */
export async function forgetMemory(id: string): Promise<Fault | undefined> {
  try {
    await server.memories.forget(id);
    const { memories } = memoryList.peek();
    memoryList.value = { ...memoryList.peek(), memories: memories.filter((memory) => memory.id !== id) };
    announce("Forgotten.");
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** @returns what went wrong, if something did */
export async function forgetAllMemories(): Promise<Fault | undefined> {
  try {
    announce(`${counted(await server.memories.forgetAll(), "memory", "memories")} forgotten.`);
    await listMemories();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}
