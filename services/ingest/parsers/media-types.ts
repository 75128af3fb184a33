/** Types that have a parser of their own. */
export const mediaTypes = {
  text: "text/plain",
  markdown: "text/markdown",
  html: "text/html",
  pdf: "application/pdf",
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  csv: "text/csv",
  tsv: "text/tab-separated-values",
  json: "application/json",
  jsonLines: "application/jsonl",
} as const;

/** Other names under which the same types are declared. */
const aliases: Readonly<Record<string, string>> = {
  "text/x-markdown": mediaTypes.markdown,
  "text/x-web-markdown": mediaTypes.markdown,
  "application/xhtml+xml": mediaTypes.html,
  "application/x-pdf": mediaTypes.pdf,
  "application/csv": mediaTypes.csv,
  "text/x-csv": mediaTypes.csv,
  "text/comma-separated-values": mediaTypes.csv,
  "text/tsv": mediaTypes.tsv,
  "text/json": mediaTypes.json,
  "application/x-json": mediaTypes.json,
  "application/ld+json": mediaTypes.json,
  "application/geo+json": mediaTypes.json,
  "application/x-ndjson": mediaTypes.jsonLines,
  "application/ndjson": mediaTypes.jsonLines,
  "application/x-jsonlines": mediaTypes.jsonLines,
  "application/json-lines": mediaTypes.jsonLines,
  "application/javascript": "text/javascript",
  "application/x-javascript": "text/javascript",
  "application/typescript": "text/x-typescript",
  "application/x-typescript": "text/x-typescript",
  "application/x-python": "text/x-python",
  "application/x-python-code": "text/x-python",
  "application/x-sh": "text/x-shellscript",
  "application/x-shellscript": "text/x-shellscript",
  "application/x-httpd-php": "text/x-php",
  "application/x-ruby": "text/x-ruby",
  "application/sql": "text/x-sql",
  "application/x-sql": "text/x-sql",
  "application/xml": "text/xml",
  "application/yaml": "text/x-yaml",
  "application/x-yaml": "text/x-yaml",
  "text/yaml": "text/x-yaml",
  "application/toml": "text/x-toml",
  "application/graphql": "text/x-graphql",
};

/** Suffixes of the types above, and of source code; a code type is `text/x-…` but where a registered one exists. */
const typeBySuffix: Readonly<Record<string, string>> = {
  txt: mediaTypes.text,
  text: mediaTypes.text,
  log: mediaTypes.text,
  rst: mediaTypes.text,
  adoc: mediaTypes.text,
  md: mediaTypes.markdown,
  markdown: mediaTypes.markdown,
  mdx: mediaTypes.markdown,
  html: mediaTypes.html,
  htm: mediaTypes.html,
  xhtml: mediaTypes.html,
  pdf: mediaTypes.pdf,
  docx: mediaTypes.docx,
  csv: mediaTypes.csv,
  tsv: mediaTypes.tsv,
  tab: mediaTypes.tsv,
  json: mediaTypes.json,
  geojson: mediaTypes.json,
  jsonl: mediaTypes.jsonLines,
  ndjson: mediaTypes.jsonLines,
  js: "text/javascript",
  cjs: "text/javascript",
  mjs: "text/javascript",
  jsx: "text/javascript",
  ts: "text/x-typescript",
  cts: "text/x-typescript",
  mts: "text/x-typescript",
  tsx: "text/x-typescript",
  py: "text/x-python",
  pyi: "text/x-python",
  rb: "text/x-ruby",
  php: "text/x-php",
  java: "text/x-java",
  kt: "text/x-kotlin",
  kts: "text/x-kotlin",
  scala: "text/x-scala",
  groovy: "text/x-groovy",
  swift: "text/x-swift",
  go: "text/x-go",
  rs: "text/x-rust",
  c: "text/x-c",
  h: "text/x-c",
  cc: "text/x-c++",
  cpp: "text/x-c++",
  cxx: "text/x-c++",
  hh: "text/x-c++",
  hpp: "text/x-c++",
  cs: "text/x-csharp",
  fs: "text/x-fsharp",
  m: "text/x-objective-c",
  dart: "text/x-dart",
  lua: "text/x-lua",
  pl: "text/x-perl",
  pm: "text/x-perl",
  r: "text/x-r",
  jl: "text/x-julia",
  ex: "text/x-elixir",
  exs: "text/x-elixir",
  erl: "text/x-erlang",
  hs: "text/x-haskell",
  ml: "text/x-ocaml",
  clj: "text/x-clojure",
  sh: "text/x-shellscript",
  bash: "text/x-shellscript",
  zsh: "text/x-shellscript",
  ps1: "text/x-powershell",
  sql: "text/x-sql",
  proto: "text/x-protobuf",
  graphql: "text/x-graphql",
  tf: "text/x-terraform",
  css: "text/css",
  scss: "text/x-scss",
  vue: "text/x-vue",
  svelte: "text/x-svelte",
  tex: "text/x-tex",
  xml: "text/xml",
  yaml: "text/x-yaml",
  yml: "text/x-yaml",
  toml: "text/x-toml",
  ini: "text/x-ini",
  cfg: "text/x-ini",
  conf: "text/x-ini",
  properties: "text/x-ini",
};

const codeTypes: ReadonlySet<string> = new Set(
  Object.values(typeBySuffix).filter((type) => !Object.values<string>(mediaTypes).includes(type)),
);

/** A declared type, taken apart. */
export interface DeclaredType {
  /** Lower case, without parameters, aliases resolved; empty where nothing usable was declared. */
  readonly mediaType: string;
  /** Of the `charset` parameter; empty where there is none. */
  readonly charset: string;
}

export function parseMediaType(declared: string): DeclaredType {
  const [essence = "", ...parameters] = declared.split(";").slice(0, 8);
  const mediaType = essence.trim().toLowerCase();
  if (!/^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/.test(mediaType)) return { mediaType: "", charset: "" };
  const charset = parameters.map((parameter) => /^\s*charset\s*=\s*"?([\w.:-]+)"?\s*$/i.exec(parameter)?.[1]);
  return { mediaType: aliases[mediaType] ?? mediaType, charset: charset.find(Boolean)?.toLowerCase() ?? "" };
}

/** Type that a uri's or an id's suffix stands for; undefined where it has none that is known. */
export function mediaTypeOfName(name: string): string | undefined {
  // Of a uri only the path has a suffix; of a file name, "#" and "?" are rare enough.
  const path = name.slice(-512).split(/[?#]/)[0] ?? "";
  const suffix = /\.([A-Za-z0-9]{1,10})$/.exec(path)?.[1]?.toLowerCase();
  return suffix === undefined ? undefined : typeBySuffix[suffix];
}

/** True for types that the source code parser reads. */
export function isCode(mediaType: string): boolean {
  return codeTypes.has(mediaType);
}
