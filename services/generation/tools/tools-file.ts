import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Environment } from "@headwater/settings";
import { invalidSetting } from "@headwater/settings";
import { z } from "zod";
import { readSettingsFile } from "../settings-file.ts";
import type { GivenValues, ToolSettings } from "./tool-settings.ts";
import { noTools } from "./tool-settings.ts";

const setting = "HEADWATER_TOOLS_FILE";
/** What processes need to find programs and write temporary files; all else has to be named. */
const inheritedNames = ["PATH", "HOME", "LANG", "TMPDIR"];

const name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$/, "use 1 to 24 of a-z 0-9 and -, as in weather or our-wiki");
const url = z.string().regex(/^https?:\/\/\S+$/, "must start with http:// or https://");
const milliseconds = (most: number) => z.int().min(1).max(most);
const value = z.union([
  z.string(),
  z.strictObject({ env: z.string().min(1), prefix: z.string().default("") }),
  z.strictObject({ file: z.string().min(1), prefix: z.string().default("") }),
]);
const values = z.record(z.string().min(1), value).default({});

const openApiSchema = z.strictObject({
  name,
  document: z.string().min(1),
  base_url: url,
  allow: z.array(z.string().min(1)).min(1, "name the operations that may be called"),
  headers: values,
  needs_approval: z.boolean().optional(),
  allow_private: z.boolean().default(false),
  timeout_ms: milliseconds(600_000).default(30_000),
  max_response_bytes: z
    .int()
    .min(1024)
    .max(64 * 1024 * 1024)
    .default(1024 * 1024),
});

const mcpSchema = z
  .strictObject({
    name,
    command: z.string().min(1).optional(),
    args: z.array(z.string()).default([]),
    folder: z.string().min(1).optional(),
    environment: values,
    inherit: z.array(z.string().min(1)).default([]),
    url: url.optional(),
    headers: values,
    allow: z.array(z.string().min(1)).optional(),
    needs_approval: z.boolean().optional(),
    timeout_ms: milliseconds(3_600_000).default(60_000),
    connect_timeout_ms: milliseconds(600_000).default(30_000),
    max_message_bytes: z
      .int()
      .min(1024)
      .max(256 * 1024 * 1024)
      .default(4 * 1024 * 1024),
  })
  .refine(({ command, url }) => (command === undefined) !== (url === undefined), {
    error: "give either command or url",
  });

const sandboxSchema = z.strictObject({
  enabled: z.boolean().default(false),
  memory_mb: z.int().min(16).max(1024).default(64),
  timeout_ms: milliseconds(300_000).default(5000),
  max_output_length: z.int().min(256).max(1_000_000).default(20_000),
  max_active: z.int().min(1).max(64).default(2),
});

const fileSchema = z.strictObject({
  openapi: z.array(openApiSchema).default([]),
  mcp: z.array(mcpSchema).default([]),
  sandbox: sandboxSchema.optional(),
});

/**
 * Reads the file and all that it refers to: the variables and files that hold secrets. Paths are relative to it.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_SETTINGS_INVALID
 */
export function readToolsFile(path: string | undefined, env: Environment): ToolSettings {
  if (path === undefined) return noTools;
  const file = fileSchema.safeParse(readSettingsFile(setting, path) ?? {});
  if (!file.success) {
    const lines = file.error.issues.map((issue) => `${issue.path.join(".") || "file"}: ${issue.message}`);
    throw invalidSetting(setting, `${path} is not valid:\n    ${lines.join("\n    ")}`);
  }
  const { openapi, mcp, sandbox } = file.data;
  checkNames([...openapi, ...mcp].map((server) => server.name));
  const folder = dirname(resolve(path));
  const secrets = (given: z.output<typeof values>) => readValues(given, folder, env);
  return {
    openapi: openapi.map((server) => ({
      name: server.name,
      document: /^https?:/.test(server.document) ? server.document : resolve(folder, server.document),
      baseUrl: server.base_url,
      allow: server.allow,
      headers: secrets(server.headers),
      needsApproval: server.needs_approval,
      allowPrivate: server.allow_private,
      timeoutMs: server.timeout_ms,
      maxResponseBytes: server.max_response_bytes,
    })),
    mcp: mcp.map((server) => ({
      name: server.name,
      server:
        server.url === undefined
          ? {
              kind: "process",
              command: server.command ?? "",
              args: server.args,
              folder: server.folder === undefined ? undefined : resolve(folder, server.folder),
              environment: withInherited(secrets(server.environment), server.inherit, env),
            }
          : { kind: "address", url: server.url, headers: secrets(server.headers) },
      allow: server.allow,
      needsApproval: server.needs_approval,
      timeoutMs: server.timeout_ms,
      connectTimeoutMs: server.connect_timeout_ms,
      maxMessageBytes: server.max_message_bytes,
    })),
    sandbox: sandbox?.enabled
      ? {
          memoryMb: sandbox.memory_mb,
          timeoutMs: sandbox.timeout_ms,
          maxOutputLength: sandbox.max_output_length,
          maxActive: sandbox.max_active,
        }
      : undefined,
  };
}

function checkNames(names: readonly string[]): void {
  const twice = names.find((given, index) => names.indexOf(given) !== index);
  if (twice !== undefined) throw invalidSetting(setting, `two servers are named ${twice}`);
}

function readValues(given: z.output<typeof values>, folder: string, env: Environment): GivenValues {
  const found = Object.entries(given).map(([key, source]) => {
    if (typeof source === "string") return { key, prefix: "", text: source, secret: false };
    const text =
      "env" in source ? readVariable(key, source.env, env) : readSecretFile(key, source.file, folder);
    return { key, prefix: source.prefix, text, secret: true };
  });
  return {
    values: Object.fromEntries(found.map(({ key, prefix, text }) => [key, prefix + text])),
    secrets: found.filter(({ secret }) => secret).map(({ text }) => text),
  };
}

function readVariable(key: string, name: string, env: Environment): string {
  const found = env[name];
  if (!found) throw invalidSetting(setting, `${key}: the variable ${name} is not set`);
  return found;
}

function readSecretFile(key: string, path: string, folder: string): string {
  try {
    return readFileSync(resolve(folder, path), "utf8").trim();
  } catch (cause) {
    throw invalidSetting(setting, `${key}: the file ${path} cannot be read`, cause);
  }
}

function withInherited(given: GivenValues, names: readonly string[], env: Environment): GivenValues {
  const kept = [...inheritedNames, ...names].flatMap((key) => {
    const found = env[key];
    return found === undefined ? [] : [[key, found] as const];
  });
  return { values: { ...Object.fromEntries(kept), ...given.values }, secrets: given.secrets };
}
