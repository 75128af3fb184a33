import type { Client } from "@connectrpc/connect";
import type {
  Prompt as PromptMessage,
  PromptService,
  PromptVersion as VersionMessage,
} from "@headwater/proto/connect/headwater/v1/prompt";
import type { CallOptions, Identity, ListPageOptions } from "./call.ts";
import { connectOptions, pageOf, unary } from "./call.ts";
import { toDate } from "./document.ts";

/** A version's part of a label. */
export interface PromptShare {
  readonly version: number;
  /** Its weight among the shares, above 0. */
  readonly weight: number;
}

/** A label, such as "production", and the version or versions that it points at. */
export interface PromptLabel {
  readonly label: string;
  readonly shares: readonly PromptShare[];
}

/** A variable that Headwater fills in. */
export interface PromptVariable {
  readonly name: string;
  readonly description: string;
  /** True: a version without it is refused. */
  readonly required: boolean;
}

/** What models are told, in versions. */
export interface Prompt {
  readonly name: string;
  /** 0: only the one that comes with Headwater. */
  readonly latestVersion: number;
  readonly labels: readonly PromptLabel[];
  /** Variables that a version has to use and may use; empty: any. */
  readonly variables: readonly PromptVariable[];
  /** True: comes with Headwater, as version 0. */
  readonly builtIn: boolean;
}

/** A version; never changed. */
export interface PromptVersion {
  /** From 1; 0: the one that comes with Headwater. */
  readonly version: number;
  /** With {{variable}} where a value goes. */
  readonly text: string;
  /** Why it was made. */
  readonly note: string;
  readonly createdTime: Date | undefined;
  /** Names of the variables in the text. */
  readonly variables: readonly string[];
}

export interface CreatePromptVersionOptions extends CallOptions {
  /** Why it is made. */
  note?: string;
}

export interface Prompts {
  /** Adds a version; the first makes the prompt. */
  createVersion(name: string, text: string, options?: CreatePromptVersionOptions): Promise<PromptVersion>;
  /** By name. */
  list(options?: ListPageOptions): Promise<{ prompts: Prompt[]; nextPageToken: string }>;
  get(name: string, options?: CallOptions): Promise<Prompt>;
  /** Newest first. */
  versions(
    name: string,
    options?: ListPageOptions,
  ): Promise<{ versions: PromptVersion[]; nextPageToken: string }>;
  /** Points a label at a version, or splits it between several. */
  setLabel(
    name: string,
    label: string,
    shares: readonly PromptShare[],
    options?: CallOptions,
  ): Promise<Prompt>;
  /** Points a label at what it pointed at before. */
  rollBackLabel(name: string, label: string, options?: CallOptions): Promise<Prompt>;
  /** A unified diff; empty: nothing differs. */
  diff(name: string, fromVersion: number, toVersion: number, options?: CallOptions): Promise<string>;
  /** A version, "name", "name@label" or "name@version", with its variables filled in. */
  render(
    prompt: string,
    variables: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<{ text: string; version: number }>;
  /** With all versions and labels; twice is harmless. */
  delete(name: string, options?: CallOptions): Promise<void>;
}

export function createPrompts(service: Client<typeof PromptService>, identity: Identity): Prompts {
  return {
    async createVersion(name, text, options = {}) {
      const request = { tenant: identity.tenantOf(options), name, text, note: options.note ?? "" };
      return toVersion((await unary(service.createPromptVersion(request, connectOptions(options)))).version);
    },
    async list(options = {}) {
      const request = { tenant: identity.tenantOf(options), ...pageOf(options) };
      const { prompts, nextPageToken } = await unary(service.listPrompts(request, connectOptions(options)));
      return { prompts: prompts.map(toPrompt), nextPageToken };
    },
    async get(name, options = {}) {
      const request = { tenant: identity.tenantOf(options), name };
      return toPrompt((await unary(service.getPrompt(request, connectOptions(options)))).prompt);
    },
    async versions(name, options = {}) {
      const request = { tenant: identity.tenantOf(options), name, ...pageOf(options) };
      const { versions, nextPageToken } = await unary(
        service.listPromptVersions(request, connectOptions(options)),
      );
      return { versions: versions.map(toVersion), nextPageToken };
    },
    async setLabel(name, label, shares, options = {}) {
      const request = {
        tenant: identity.tenantOf(options),
        name,
        label: { label, shares: shares.map(({ version, weight }) => ({ version, weight })) },
      };
      return toPrompt((await unary(service.setPromptLabel(request, connectOptions(options)))).prompt);
    },
    async rollBackLabel(name, label, options = {}) {
      const request = { tenant: identity.tenantOf(options), name, label };
      return toPrompt((await unary(service.rollBackPromptLabel(request, connectOptions(options)))).prompt);
    },
    async diff(name, fromVersion, toVersion, options = {}) {
      const request = { tenant: identity.tenantOf(options), name, fromVersion, toVersion };
      return (await unary(service.diffPromptVersions(request, connectOptions(options)))).diff;
    },
    async render(prompt, variables, options = {}) {
      const request = { tenant: identity.tenantOf(options), prompt, variables: { ...variables } };
      const { text, version } = await unary(service.renderPrompt(request, connectOptions(options)));
      return { text, version };
    },
    async delete(name, options = {}) {
      const request = { tenant: identity.tenantOf(options), name };
      await unary(service.deletePrompt(request, connectOptions(options)));
    },
  };
}

function toPrompt(message: PromptMessage | undefined): Prompt {
  return {
    name: message?.name ?? "",
    latestVersion: message?.latestVersion ?? 0,
    labels: (message?.labels ?? []).map(({ label, shares }) => ({
      label,
      shares: shares.map(({ version, weight }) => ({ version, weight })),
    })),
    variables: (message?.variables ?? []).map(({ name, description, required }) => ({
      ...{ name, description, required },
    })),
    builtIn: message?.builtIn ?? false,
  };
}

function toVersion(message: VersionMessage | undefined): PromptVersion {
  return {
    version: message?.version ?? 0,
    text: message?.text ?? "",
    note: message?.note ?? "",
    createdTime: toDate(message?.createdTime),
    variables: message?.variables ?? [],
  };
}
