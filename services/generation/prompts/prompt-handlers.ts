import { HeadwaterError, invalidArgument, status } from "@headwater/errors";
import type {
  CreatePromptVersionRequest,
  DeepPartial,
  DeletePromptRequest,
  DiffPromptVersionsRequest,
  GetPromptRequest,
  ListPromptsRequest,
  ListPromptVersionsRequest,
  Prompt,
  PromptLabel,
  PromptServiceImplementation,
  RenderPromptRequest,
  RollBackPromptLabelRequest,
  SetPromptLabelRequest,
} from "@headwater/proto/services/headwater/v1/prompt";
import type { RpcContext } from "@headwater/rpc";
import { checkPageSize, checkTenant, checkText, decodePageToken, toPage } from "@headwater/rpc";
import { createTwoFilesPatch } from "diff";
import { builtInPrompts } from "./built-in-prompts.ts";
import { checkPromptLabel, checkPromptName, checkPromptVersion, maxVersion } from "./prompt-reference.ts";
import type { StoredLabel, StoredPrompt, StoredVersion } from "./prompt-store.ts";
import { versionNotFound } from "./prompt-store.ts";
import { checkVariables, renderTemplate, variablesOf } from "./prompt-template.ts";
import type { Prompts } from "./prompts.ts";
import { findBuiltIn, promptNotFound } from "./prompts.ts";

const maxTextLength = 65_536;
const maxNoteLength = 1024;
const maxShares = 16;

/** The rpcs of PromptService. */
export class PromptHandlers implements PromptServiceImplementation<RpcContext> {
  readonly #prompts: Prompts;

  constructor(prompts: Prompts) {
    this.#prompts = prompts;
  }

  async createPromptVersion(request: CreatePromptVersionRequest) {
    const tenant = checkTenant(request.tenant);
    const name = checkPromptName(request.name);
    const text = checkText("The text", request.text, { min: 1, max: maxTextLength });
    const note = checkText("The note", request.note, { min: 0, max: maxNoteLength });
    const builtIn = findBuiltIn(name);
    if (builtIn) checkVariables(text, builtIn.variables);
    return { version: await this.#prompts.store.addVersion(tenant, name, text, note) };
  }

  async listPrompts(request: ListPromptsRequest) {
    const tenant = checkTenant(request.tenant);
    const limit = checkPageSize(request.pageSize);
    const question = `prompts/${tenant}`;
    const after = decodePageToken(question, request.pageToken) ?? "";
    const stored = await this.#prompts.store.list(tenant, after, limit + 1);
    const untouched = builtInPrompts
      .map(({ name }) => name)
      .filter((name) => name > after && !stored.some((prompt) => prompt.name === name))
      .map((name): StoredPrompt => ({ name, latestVersion: 0, labels: [] }));
    const all = [...stored, ...untouched].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, limit + 1);
    const { page, nextPageToken } = toPage(all, limit, question, ({ name }) => name);
    return { prompts: page.map(toPrompt), nextPageToken };
  }

  async getPrompt(request: GetPromptRequest) {
    const tenant = checkTenant(request.tenant);
    return { prompt: await this.#find(tenant, checkPromptName(request.name)) };
  }

  async listPromptVersions(request: ListPromptVersionsRequest) {
    const tenant = checkTenant(request.tenant);
    const name = checkPromptName(request.name);
    const limit = checkPageSize(request.pageSize);
    const question = `prompts/${tenant}/${name}`;
    const before = decodePageToken(question, request.pageToken);
    const versions = await this.#prompts.store.listVersions(
      tenant,
      name,
      before === undefined ? maxVersion : Number(before),
      limit + 1,
    );
    const builtIn = versionZero(name);
    if (builtIn && versions.length <= limit && before !== "0") versions.push(builtIn);
    if (versions.length === 0 && before === undefined) throw promptNotFound(name);
    const { page, nextPageToken } = toPage(versions, limit, question, ({ version }) => String(version));
    return { versions: page, nextPageToken };
  }

  async setPromptLabel(request: SetPromptLabelRequest) {
    const tenant = checkTenant(request.tenant);
    const name = checkPromptName(request.name);
    const label = checkLabel(request.label);
    const builtIn = findBuiltIn(name) !== undefined;
    if (!builtIn && !(await this.#prompts.store.find(tenant, name))) throw promptNotFound(name);
    await this.#prompts.store.setLabel(tenant, name, label, builtIn);
    return { prompt: await this.#find(tenant, name) };
  }

  async rollBackPromptLabel(request: RollBackPromptLabelRequest) {
    const tenant = checkTenant(request.tenant);
    const name = checkPromptName(request.name);
    await this.#prompts.store.rollBack(tenant, name, checkPromptLabel(request.label));
    return { prompt: await this.#find(tenant, name) };
  }

  async diffPromptVersions(request: DiffPromptVersionsRequest) {
    const tenant = checkTenant(request.tenant);
    const name = checkPromptName(request.name);
    const [from, to] = await Promise.all(
      [request.fromVersion, request.toVersion].map((version) => this.#version(tenant, name, version)),
    );
    if (!from || !to || from.text === to.text) return { diff: "" };
    const fileName = ({ version }: StoredVersion) => `${name}@${version}`;
    return { diff: createTwoFilesPatch(fileName(from), fileName(to), `${from.text}\n`, `${to.text}\n`) };
  }

  async renderPrompt(request: RenderPromptRequest) {
    const tenant = checkTenant(request.tenant);
    const { text, version } = await this.#prompts.resolve(tenant, request.prompt, "");
    return { text: renderTemplate(text, request.variables), version };
  }

  async deletePrompt(request: DeletePromptRequest) {
    await this.#prompts.store.delete(checkTenant(request.tenant), checkPromptName(request.name));
    return {};
  }

  async #find(tenant: string, name: string): Promise<DeepPartial<Prompt>> {
    const stored = await this.#prompts.store.find(tenant, name);
    if (stored) return toPrompt(stored);
    if (findBuiltIn(name)) return toPrompt({ name, latestVersion: 0, labels: [] });
    throw promptNotFound(name);
  }

  async #version(tenant: string, name: string, version: number): Promise<StoredVersion> {
    const number = checkPromptVersion(version);
    const found =
      number === 0 ? versionZero(name) : await this.#prompts.store.findVersion(tenant, name, number);
    if (found) return found;
    throw versionNotFound(name, number);
  }
}

/** What comes with Headwater; it has no date. */
function versionZero(name: string): StoredVersion | undefined {
  const builtIn = findBuiltIn(name);
  if (!builtIn) return undefined;
  const { text } = builtIn;
  return {
    version: 0,
    text,
    note: "Comes with Headwater.",
    createdTime: new Date(0),
    variables: variablesOf(text),
  };
}

function toPrompt({ name, latestVersion, labels }: StoredPrompt): DeepPartial<Prompt> {
  const builtIn = findBuiltIn(name);
  return {
    name,
    latestVersion,
    labels: labels.map(({ label, shares }) => ({ label, shares: [...shares] })),
    variables: [...(builtIn?.variables ?? [])],
    builtIn: builtIn !== undefined,
  };
}

function checkLabel(label: PromptLabel | undefined): StoredLabel {
  if (!label) throw invalidArgument("HW_PROMPT_LABEL_INVALID", "The request names no label.");
  const versions = new Set(label.shares.map(({ version }) => version));
  const fits =
    label.shares.length > 0 &&
    label.shares.length <= maxShares &&
    versions.size === label.shares.length &&
    label.shares.every(({ weight }) => weight > 0 && Number.isFinite(weight));
  if (!fits) {
    throw new HeadwaterError({
      code: status.INVALID_ARGUMENT,
      reason: "HW_PROMPT_SHARES_INVALID",
      message: "The shares of the label are not right.",
      action: `Name 1 to ${maxShares} different versions, each with a weight above 0.`,
    });
  }
  for (const { version } of label.shares) checkPromptVersion(version);
  return { label: checkPromptLabel(label.label), shares: label.shares };
}
