/** Which tools there are beyond the built-in ones: the file that HEADWATER_TOOLS_FILE names. */
export interface ToolSettings {
  readonly openapi: readonly OpenApiSettings[];
  readonly mcp: readonly McpSettings[];
  /** Undefined: there is no `run_code`. */
  readonly sandbox: SandboxSettings | undefined;
}

/** Headers or variables with the values that were found for them. */
export interface GivenValues {
  readonly values: Readonly<Record<string, string>>;
  /** Those that came from the environment or a file: they may be sent, but never shown. */
  readonly secrets: readonly string[];
}

export interface OpenApiSettings {
  readonly name: string;
  /** A path, or an address. */
  readonly document: string;
  readonly baseUrl: string;
  /** Operation ids, or "GET /path" as the document writes it. */
  readonly allow: readonly string[];
  readonly headers: GivenValues;
  /** Undefined: whatever is not GET or HEAD. */
  readonly needsApproval: boolean | undefined;
  /** True: `baseUrl` and `document` may lead into private networks. */
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
}

export interface McpSettings {
  readonly name: string;
  readonly server: McpProcess | McpAddress;
  /** The server's own names of tools; undefined: all. */
  readonly allow: readonly string[] | undefined;
  /** Undefined: as the tools' annotations say. */
  readonly needsApproval: boolean | undefined;
  /** For one call. */
  readonly timeoutMs: number;
  /** Until the server has to have answered the first time. */
  readonly connectTimeoutMs: number;
  /** Of one message. */
  readonly maxMessageBytes: number;
}

/** A server that is started as a process and spoken to over its standard input and output. */
export interface McpProcess {
  readonly kind: "process";
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string | undefined;
  /** All that the process gets of the environment. */
  readonly environment: GivenValues;
}

/** A server that is spoken to over streamable HTTP. */
export interface McpAddress {
  readonly kind: "address";
  readonly url: string;
  readonly headers: GivenValues;
}

export interface SandboxSettings {
  readonly memoryMb: number;
  readonly timeoutMs: number;
  /** Code units of what a program prints and returns together. */
  readonly maxOutputLength: number;
  /** Programs at once; further ones are refused. */
  readonly maxActive: number;
}

export const noTools: ToolSettings = { openapi: [], mcp: [], sandbox: undefined };
