import {
  Field,
  FixedSizeList,
  Float32,
  Int64,
  List,
  makeData,
  makeVector,
  Schema,
  Table,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { attributeLabel, documentKey } from "./document-key.ts";
import type { EmbeddedPassage, IndexFingerprint, Passage } from "./passage-index.ts";

/** Columns that make up a Passage. A hit costs a random read a column, so there are two. */
export const passageColumns = ["content", "passage"] as const;

/** Of the table's layout; a table of another is not read. */
const format = "1";
const utf8List = new List(new Field("item", new Utf8(), true));

/**
 * One row a passage. `content` is what the full-text index covers: title and headings, then the passage's text, so that
 * no text is stored twice. Unlike `embeddingText` it repeats a title that the text begins with: words of the title then
 * count more (nDCG@10 of BM25 on Cranfield 0.529 -> 0.531). `passage` is the rest of the passage as JSON. The other
 * columns are there to be filtered on; `attributes` holds each entry as one label, which a label-list index can find.
 * The fingerprint travels in the schema's metadata: a table and what it was made with cannot part.
 */
export function tableSchema(fingerprint: IndexFingerprint, dimensions: number): Schema {
  const field = (name: string, type: ConstructorParameters<typeof Field>[1]) => new Field(name, type, false);
  return new Schema(
    [
      field("id", new Utf8()),
      field("tenant", new Utf8()),
      field("document_key", new Utf8()),
      field("version", new Int64()),
      field("media_type", new Utf8()),
      field("attributes", utf8List),
      field("observed_at", new Int64()),
      field("content", new Utf8()),
      field("passage", new Utf8()),
      field("vector", vectorType(dimensions)),
    ],
    new Map([
      ["headwater.format", format],
      ["headwater.model", fingerprint.model],
      ["headwater.chunking", fingerprint.chunking],
      ["headwater.dimensions", String(dimensions)],
    ]),
  );
}

/** What `tableSchema` put into the metadata; undefined where the table is not one of ours, or of another format. */
export function readSchema(
  schema: Schema,
): { fingerprint: IndexFingerprint; dimensions: number } | undefined {
  const model = schema.metadata.get("headwater.model");
  const chunking = schema.metadata.get("headwater.chunking");
  const dimensions = Number(schema.metadata.get("headwater.dimensions"));
  if (schema.metadata.get("headwater.format") !== format) return undefined;
  if (model === undefined || chunking === undefined || !(dimensions > 0)) return undefined;
  return { fingerprint: { model, chunking }, dimensions };
}

/** Passages as Arrow columns; ten times faster than LanceDB's own conversion of objects, which boxes each float. */
export function toRows(passages: readonly EmbeddedPassage[], schema: Schema, dimensions: number): Table {
  const strings = (of: (passage: EmbeddedPassage) => string) => vectorFromArray(passages.map(of), new Utf8());
  const longs = (of: (passage: EmbeddedPassage) => number) =>
    makeVector(makeData({ type: new Int64(), data: BigInt64Array.from(passages, (p) => BigInt(of(p))) }));
  const vectors = new Float32Array(passages.length * dimensions);
  for (const [at, { vector }] of passages.entries()) vectors.set(vector, at * dimensions);
  const labels = passages.map(({ attributes }) =>
    Object.entries(attributes).map(([key, value]) => attributeLabel(key, value)),
  );
  const columns = {
    id: strings((p) => p.id),
    tenant: strings((p) => p.tenant),
    document_key: strings(documentKey),
    version: longs((p) => p.version),
    media_type: strings((p) => p.mediaType),
    attributes: vectorFromArray(labels, utf8List),
    observed_at: longs((p) => p.observedAt),
    content: strings((p) => [p.title, ...p.headingPath, p.text].join("\n")),
    passage: strings(({ text, vector: _, ...rest }) => JSON.stringify({ ...rest, textLength: text.length })),
    vector: makeVector(
      makeData({
        type: vectorType(dimensions),
        length: passages.length,
        nullCount: 0,
        child: makeData({ type: new Float32(), data: vectors }),
      }),
    ),
  };
  return new Table(schema, columns);
}

/** Reads passages out of the rows of a query that selected `passageColumns`. */
export function passageReader(rows: Table): (at: number) => Passage {
  const contents = readStrings(rows, "content");
  const passages = readStrings(rows, "passage");
  return (at) => {
    const content = contents[at] ?? "";
    // Written by toRows.
    const stored = JSON.parse(passages[at] ?? "") as Omit<Passage, "text"> & { textLength: number };
    const { textLength, ...rest } = stored;
    return { ...rest, text: content.slice(content.length - textLength) };
  };
}

/** The strings of a column. Straight from its bytes: by Arrow's getters it takes three times as long. */
function readStrings(rows: Table, column: string): string[] {
  const strings: string[] = [];
  for (const { values, valueOffsets, length } of rows.getChild(column)?.data ?? []) {
    const bytes: Uint8Array = values;
    const offsets: Int32Array = valueOffsets;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < length; at += 1)
      strings.push(buffer.toString("utf8", offsets[at], offsets[at + 1]));
  }
  return strings;
}

/** The vectors of rows that were selected with them, in order; views that keep the engine's answer alive. */
export function readVectors(rows: Table, dimensions: number): Float32Array[] {
  const vectors: Float32Array[] = [];
  for (const { children, length, offset } of rows.getChild("vector")?.data ?? []) {
    const values: Float32Array = children[0]?.values;
    for (let at = offset; at < offset + length; at += 1)
      vectors.push(values.subarray(at * dimensions, (at + 1) * dimensions));
  }
  return vectors;
}

function vectorType(dimensions: number): FixedSizeList<Float32> {
  return new FixedSizeList(dimensions, new Field("item", new Float32(), true));
}
