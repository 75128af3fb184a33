import type { estypes } from "@elastic/elasticsearch";
import type { ElasticLayout } from "./elastic-options.ts";
import type { GenerationDescription } from "./engine.ts";

/** Of the indexes' layout; an index of another is not read. */
const format = 1;

/** Names of what a generation has in Elasticsearch. */
export interface IndexNames {
  readonly passages: string;
  readonly ledger: string;
}

export function indexNames(prefix: string, generation: string): IndexNames {
  return { passages: `${prefix}-passages-${generation}`, ledger: `${prefix}-ledger-${generation}` };
}

/** Names the passages of the generation that serves. */
export function servingAlias(prefix: string): string {
  return `${prefix}-passages`;
}

/**
 * Writes go through an alias of the index's own and demand that it is one: a late write to an index that was dropped is
 * then refused, where Elasticsearch would otherwise make an index of that name, with a mapping that it guesses.
 */
export function writeAlias(index: string): string {
  return `${index}.write`;
}

type CreateRequest = Omit<estypes.IndicesCreateRequest, "index">;

/**
 * One document a passage. Title, headings and text are searched; they are as a reader would speak them, see
 * `toSpoken`. `passage` is the passage as it was, as JSON; Elasticsearch does not look into it. The rest is there to be
 * filtered on.
 */
export function passagesIndex(description: GenerationDescription, layout: ElasticLayout): CreateRequest {
  const words = { type: "text", analyzer: analyzerName(layout.analyzer) } as const;
  return {
    settings: { ...settingsOf(layout), analysis: analysis },
    mappings: {
      ...strict(description),
      properties: {
        id: { type: "keyword" },
        tenant: { type: "keyword" },
        document: { type: "keyword" },
        revision: { type: "long" },
        version: { type: "long", index: false },
        media_type: { type: "keyword", doc_values: false },
        attributes: { type: "keyword", doc_values: false },
        observed_at: { type: "long" },
        title: words,
        headings: words,
        text: words,
        passage: { type: "keyword", index: false, doc_values: false },
      },
    },
  };
}

/** One document a document of Headwater's. */
export function ledgerIndex(description: GenerationDescription, layout: ElasticLayout): CreateRequest {
  const plain = { type: "keyword", index: false, doc_values: false } as const;
  const number = { type: "long", index: false, doc_values: false } as const;
  return {
    settings: settingsOf(layout),
    mappings: {
      ...strict(description),
      properties: {
        tenant: { type: "keyword" },
        document_id: plain,
        revision: number,
        version: number,
        passages: { type: "integer" },
        fence: number,
        attempt: plain,
        changed_at: number,
      },
    },
  };
}

/** What `strict` put into an index; undefined where it is not one of ours, or of another format. */
export function readDescription(
  meta: Record<string, unknown> | undefined,
): GenerationDescription | undefined {
  if (meta?.["headwater_format"] !== format) return undefined;
  const { generation, fingerprint, dimensions } = meta as unknown as GenerationDescription;
  return { generation, fingerprint, dimensions };
}

/** An unknown field is refused: Elasticsearch would guess its type. What the index was made with cannot part from it. */
function strict({ generation, fingerprint, dimensions }: GenerationDescription) {
  return {
    dynamic: "strict",
    _meta: { headwater_format: format, generation, fingerprint, dimensions },
  } as const;
}

function settingsOf({ shards, replicas }: ElasticLayout): estypes.IndicesIndexSettings {
  return {
    number_of_shards: shards,
    ...(replicas === undefined ? { auto_expand_replicas: "0-1" } : { number_of_replicas: replicas }),
    // Set, so that Elasticsearch does not stop refreshing while nobody searches, and lets the first search wait.
    refresh_interval: "1s",
    "mapping.total_fields.limit": 100,
  };
}

function analyzerName(analyzer: string): string {
  return analyzer === "english" ? "headwater_english" : analyzer;
}

/**
 * As Elasticsearch's own `english`, with the newer Porter stemmer, and accents folded, as the embedded index does. Words
 * of scripts without spaces come out as single characters.
 */
const analysis: estypes.IndicesIndexSettingsAnalysis = {
  filter: {
    headwater_possessive: { type: "stemmer", language: "possessive_english" },
    headwater_stop: { type: "stop", stopwords: "_english_" },
    headwater_stemmer: { type: "stemmer", language: "porter2" },
  },
  analyzer: {
    headwater_english: {
      type: "custom",
      tokenizer: "standard",
      filter: ["lowercase", "headwater_possessive", "headwater_stop", "asciifolding", "headwater_stemmer"],
    },
  },
};
