import assert from "node:assert/strict";
import { test } from "node:test";
import { DocumentState } from "@headwater/proto/services/headwater/v1/ingest";
import type { DocumentRecord } from "../catalog/document-record.ts";
import type { DocumentPut } from "./document-change.ts";
import { judge } from "./verdict.ts";

const put: DocumentPut = {
  kind: "put",
  ...{ tenant: "t", documentId: "d", version: 2, title: "", uri: "", mediaType: "", attributes: {} },
  observedAt: undefined,
  content: { $case: "inline", value: new Uint8Array() },
  ...{ contentSha256: "same", descriptionHash: "same", reindex: false },
};

function known(
  state: DocumentState,
  settledVersion: number,
  servedVersion?: number,
  version = settledVersion,
): DocumentRecord {
  const description = { title: "", uri: "", mediaType: "", attributes: {}, observedAt: 7 };
  const sizes = { sizeBytes: 0, passages: 0, textLength: 0, contentSha256: "same" };
  return {
    status: {
      tenant: "t",
      documentId: "d",
      version,
      state,
      failure: null,
      updatedAt: 0,
      ...description,
      ...sizes,
    },
    settledVersion,
    served:
      servedVersion === undefined
        ? null
        : {
            version: servedVersion,
            descriptionHash: "same",
            fingerprint: "f",
            originalKey: "",
            textKey: "",
            ...description,
            ...sizes,
          },
  };
}

const { INDEXED, FAILED, DELETED, QUEUED } = DocumentState;

test("verdicts", () => {
  const cases: [string, DocumentPut, DocumentRecord | undefined, string][] = [
    ["unknown", put, undefined, "process"],
    ["older than what is indexed", put, known(INDEXED, 3, 3), "stale"],
    ["older than what has failed", put, known(FAILED, 3, 1), "stale"],
    ["older than what is only queued", put, known(QUEUED, 1, 1, 3), "unchanged"],
    ["delivered again", put, known(INDEXED, 2, 2), "redelivered"],
    ["delivered again after it changed nothing", put, known(INDEXED, 2, 1), "redelivered"],
    ["newer and the same", put, known(INDEXED, 1, 1), "unchanged"],
    ["newer and other content", { ...put, contentSha256: "other" }, known(INDEXED, 1, 1), "process"],
    ["same version and other content", { ...put, contentSha256: "other" }, known(INDEXED, 2, 2), "process"],
    ["newer and another title", { ...put, descriptionHash: "other" }, known(INDEXED, 1, 1), "process"],
    ["newer and seen at another time", { ...put, observedAt: 8 }, known(INDEXED, 1, 1), "process"],
    ["newer and seen at the same time", { ...put, observedAt: 7 }, known(INDEXED, 1, 1), "unchanged"],
    ["content not known yet", { ...put, contentSha256: "" }, known(INDEXED, 1, 1), "process"],
    ["a replay of what failed", put, known(FAILED, 2, 1), "unchanged"],
    ["a replay of what failed, nothing served", put, known(FAILED, 2), "process"],
    ["deleted at this version", put, known(DELETED, 2), "stale"],
    ["newer than what was deleted", put, known(DELETED, 1), "process"],
    ["reindex of what is served", { ...put, reindex: true }, known(INDEXED, 2, 2), "process"],
    [
      "reindex of what is served under a failed version",
      { ...put, reindex: true },
      known(FAILED, 3, 2),
      "process",
    ],
    ["reindex of what has changed since", { ...put, reindex: true }, known(INDEXED, 3, 3), "stale"],
  ];
  for (const [name, change, record, verdict] of cases)
    assert.equal(judge(change, record, "f"), verdict, name);
  assert.equal(judge(put, known(INDEXED, 2, 2), "other fingerprint"), "process");
});
