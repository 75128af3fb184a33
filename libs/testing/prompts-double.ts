import type {
  Prompt,
  PromptServiceDefinition,
  PromptVersion,
} from "@headwater/proto/services/headwater/v1/prompt";
import type { RpcContext } from "@headwater/rpc";
import type { ServiceImplementation } from "nice-grpc";
import type { EnterDouble } from "./double-call.ts";
import { doubleTime, notFound } from "./double-call.ts";

interface Kept {
  readonly prompt: Prompt;
  readonly versions: PromptVersion[];
}

/** Prompts in memory, of all tenants together. */
export function promptsDouble(
  enter: EnterDouble,
): ServiceImplementation<PromptServiceDefinition, RpcContext> {
  const kept = new Map<string, Kept>();
  const find = (name: string) => {
    const found = kept.get(name);
    if (found) return found;
    throw notFound("HW_PROMPT_NOT_FOUND", "prompt");
  };
  return {
    async createPromptVersion(request, context) {
      await enter("", request, context);
      const { name, text, note } = request;
      const variables = [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, variable = ""]) => variable);
      const { prompt, versions } = kept.get(name) ?? {
        prompt: { name, latestVersion: 0, labels: [], variables: [], builtIn: false },
        versions: [],
      };
      prompt.latestVersion += 1;
      const version = { version: prompt.latestVersion, text, note, createdTime: doubleTime, variables };
      versions.unshift(version);
      kept.set(name, { prompt, versions });
      return { version };
    },
    async listPrompts(request, context) {
      await enter("", request, context);
      return { prompts: [...kept.values()].map(({ prompt }) => prompt), nextPageToken: "" };
    },
    async getPrompt(request, context) {
      await enter("", request, context);
      return { prompt: find(request.name).prompt };
    },
    async listPromptVersions(request, context) {
      await enter("", request, context);
      return { versions: find(request.name).versions, nextPageToken: "" };
    },
    async setPromptLabel(request, context) {
      await enter("", request, context);
      const { prompt } = find(request.name);
      if (request.label) prompt.labels = [request.label];
      return { prompt };
    },
    async rollBackPromptLabel(request, context) {
      await enter("", request, context);
      const { prompt } = find(request.name);
      prompt.labels = [{ label: request.label, shares: [{ version: 1, weight: 1 }] }];
      return { prompt };
    },
    async diffPromptVersions(request, context) {
      await enter("", request, context);
      const text = (number: number) =>
        find(request.name).versions.find(({ version }) => version === number)?.text ?? "";
      return { diff: `-${text(request.fromVersion)}\n+${text(request.toVersion)}\n` };
    },
    async renderPrompt(request, context) {
      await enter("", request, context);
      const [newest] = find(request.prompt).versions;
      const { text = "", version = 0 } = newest ?? {};
      return {
        text: text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => request.variables[name] ?? ""),
        version,
      };
    },
    async deletePrompt(request, context) {
      await enter("", request, context);
      kept.delete(request.name);
      return {};
    },
  };
}
