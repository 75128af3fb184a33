import type { Prompt, PromptShare, PromptVersion } from "@headwater/client";
import { signal } from "@preact/signals";
import { announce } from "./announcer.ts";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { server } from "./server.ts";

export interface PromptList {
  /** By name. */
  readonly prompts: readonly Prompt[];
  readonly loading: boolean;
  readonly fault: Fault | undefined;
}

/** The prompt that is open, with its versions. */
export interface PromptShown {
  readonly name: string;
  readonly prompt: Prompt | undefined;
  /** Newest first. */
  readonly versions: readonly PromptVersion[];
  readonly loading: boolean;
  readonly fault: Fault | undefined;
}

const emptyShown: PromptShown = {
  name: "",
  prompt: undefined,
  versions: [],
  loading: false,
  fault: undefined,
};

export const promptList = signal<PromptList>({ prompts: [], loading: true, fault: undefined });
export const promptShown = signal<PromptShown>(emptyShown);

export async function listPrompts(signal?: AbortSignal): Promise<void> {
  const call = signal ? { signal } : {};
  try {
    const prompts: Prompt[] = [];
    let pageToken = "";
    do {
      const page = await server.prompts.list({ pageSize: 200, pageToken, ...call });
      prompts.push(...page.prompts);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    promptList.value = { prompts, loading: false, fault: undefined };
  } catch (thrown) {
    promptList.value = { ...promptList.peek(), loading: false, fault: faultOf(thrown, signal) };
  }
}

let current = new AbortController();

/** Reads a prompt with its newest 200 versions. */
export async function showPrompt(name: string): Promise<void> {
  current.abort();
  current = new AbortController();
  const { signal } = current;
  const before = promptShown.peek();
  promptShown.value =
    before.name === name
      ? { ...before, loading: true, fault: undefined }
      : { ...emptyShown, name, loading: true };
  try {
    const [prompt, { versions }] = await Promise.all([
      server.prompts.get(name, { signal }),
      server.prompts.versions(name, { pageSize: 200, signal }),
    ]);
    promptShown.value = { name, prompt, versions, loading: false, fault: undefined };
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (fault) promptShown.value = { ...promptShown.peek(), loading: false, fault };
  }
}

/**
 * Adds a version; the first makes the prompt.
 * @returns what went wrong, if something did
 */
export async function addVersion(name: string, text: string, note: string): Promise<Fault | undefined> {
  return await change(name, async () => {
    const { version } = await server.prompts.createVersion(name, text, { note });
    announce(`Version ${version} of ${name} is there.`);
  });
}

/** @returns what went wrong, if something did */
export async function setLabel(
  name: string,
  label: string,
  shares: readonly PromptShare[],
): Promise<Fault | undefined> {
  return await change(name, async () => {
    await server.prompts.setLabel(name, label, shares);
    announce(`The label ${label} is set.`);
  });
}

/** @returns what went wrong, if something did */
export async function rollBack(name: string, label: string): Promise<Fault | undefined> {
  return await change(name, async () => {
    await server.prompts.rollBackLabel(name, label);
    announce(`The label ${label} points at what it pointed at before.`);
  });
}

/** @returns what went wrong, if something did */
export async function deletePrompt(name: string): Promise<Fault | undefined> {
  try {
    await server.prompts.delete(name);
    announce(`${name} is deleted.`);
    await listPrompts();
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

async function change(name: string, work: () => Promise<void>): Promise<Fault | undefined> {
  try {
    await work();
    await Promise.all([showPrompt(name), listPrompts()]);
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}

/** @returns a unified diff, or what went wrong */
export async function diffVersions(
  name: string,
  from: number,
  to: number,
): Promise<string | Fault | undefined> {
  try {
    return await server.prompts.diff(name, from, to);
  } catch (thrown) {
    return faultOf(thrown);
  }
}
