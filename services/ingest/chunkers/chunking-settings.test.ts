import assert from "node:assert/strict";
import { test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { readSettings } from "@headwater/settings";
import { chunkingSettings, readChunkingSettings } from "./chunking-settings.ts";

function read(env: Record<string, string>) {
  return readChunkingSettings(readSettings(chunkingSettings, env));
}

function messageOf(env: Record<string, string>): string {
  try {
    read(env);
  } catch (thrown) {
    assert(thrown instanceof HeadwaterError);
    assert.equal(thrown.reason, "HW_SETTINGS_INVALID");
    return thrown.message;
  }
  return assert.fail("the settings were accepted");
}

test("defaults, and strategies by type", () => {
  assert.deepEqual(read({}), { strategy: "auto", strategyByType: {}, tokens: 256, overlapTokens: 64 });
  assert.deepEqual(
    read({ HEADWATER_CHUNK_STRATEGY_BY_TYPE: "text/Markdown = hierarchical, application/pdf=sentence," })
      .strategyByType,
    { "text/markdown": "hierarchical", "application/pdf": "sentence" },
  );
});

test("mistakes are told with the name and what is allowed", () => {
  assert.match(
    messageOf({ HEADWATER_CHUNK_STRATEGY_BY_TYPE: "text/html=fancy" }),
    /HEADWATER_CHUNK_STRATEGY_BY_TYPE="text\/html=fancy": "text\/html=fancy" is not of the form type\/subtype=auto\|window\|sentence\|hierarchical/,
  );
  assert.match(
    messageOf({ HEADWATER_CHUNK_TOKENS: "100", HEADWATER_CHUNK_OVERLAP_TOKENS: "51" }),
    /HEADWATER_CHUNK_OVERLAP_TOKENS="51": above half of HEADWATER_CHUNK_TOKENS \(100\)/,
  );
});
