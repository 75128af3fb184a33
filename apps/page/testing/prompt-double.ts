import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Prompt, PromptLabel, PromptService } from "@headwater/proto/connect/headwater/v1/prompt";
import {
  PromptLabelSchema,
  PromptSchema,
  PromptVersionSchema,
} from "@headwater/proto/connect/headwater/v1/prompt";

const builtInText = "Answer from the sources. Today is {{date}}.";

/** The prompt service over one prompt that comes along, and those that are made. */
export function promptDouble(): ServiceImpl<typeof PromptService> {
  const date = { name: "date", description: "Today", required: false };
  const prompts = new Map<string, Prompt>([
    ["chat", create(PromptSchema, { name: "chat", builtIn: true, variables: [date] })],
  ]);
  const texts = new Map<string, { text: string; note: string }[]>([
    ["chat", [{ text: builtInText, note: "" }]],
  ]);
  const history = new Map<string, PromptLabel[]>();
  const find = (name: string): Prompt => {
    const prompt = prompts.get(name);
    if (!prompt) throw new ConnectError(`There is no prompt ${name}.`, Code.NotFound);
    return prompt;
  };
  const put = (name: string, label: PromptLabel) => {
    const prompt = find(name);
    prompt.labels = [...prompt.labels.filter((other) => other.label !== label.label), label];
    return { prompt };
  };
  const versionOf = (name: string, version: number) => {
    const stored = texts.get(name)?.[version];
    return create(PromptVersionSchema, {
      ...{ version, ...stored, createdTime: timestampFromDate(new Date()) },
      variables: [...(stored?.text ?? "").matchAll(/\{\{(\w+)\}\}/g)].map(([, variable = ""]) => variable),
    });
  };
  return {
    createPromptVersion({ name, text, note }) {
      const prompt = prompts.get(name) ?? create(PromptSchema, { name });
      prompts.set(name, prompt);
      // A prompt that does not come along has no version 0.
      const versions = texts.get(name) ?? [{ text: "", note: "" }];
      texts.set(name, [...versions, { text, note }]);
      prompt.latestVersion = versions.length;
      return { version: versionOf(name, prompt.latestVersion) };
    },
    listPrompts: () => ({ prompts: [...prompts.values()] }),
    getPrompt: ({ name }) => ({ prompt: find(name) }),
    listPromptVersions({ name }) {
      const { latestVersion, builtIn } = find(name);
      const all = Array.from({ length: latestVersion + 1 }, (_, index) => latestVersion - index);
      return {
        versions: all.filter((version) => version > 0 || builtIn).map((version) => versionOf(name, version)),
      };
    },
    setPromptLabel({ name, label = create(PromptLabelSchema) }) {
      const key = `${name}@${label.label}`;
      const before = find(name).labels.find((other) => other.label === label.label);
      if (before) history.set(key, [...(history.get(key) ?? []), before]);
      return put(name, label);
    },
    rollBackPromptLabel({ name, label }) {
      const before = history.get(`${name}@${label}`)?.pop();
      if (!before) throw new ConnectError("There is nothing before.", Code.FailedPrecondition);
      return put(name, before);
    },
    diffPromptVersions({ name, fromVersion, toVersion }) {
      const [from, to] = [versionOf(name, fromVersion).text, versionOf(name, toVersion).text];
      return { diff: from === to ? "" : `--- a\n+++ b\n@@ -1 +1 @@\n-${from}\n+${to}\n` };
    },
    renderPrompt: ({ prompt }) => ({ text: versionOf(prompt, 0).text }),
    deletePrompt({ name }) {
      prompts.delete(name);
      return {};
    },
  };
}
