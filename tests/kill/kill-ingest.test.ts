import { test } from "node:test";
import { temporaryFolder } from "@headwater/testing";
import { killIngest } from "./kill-ingest.ts";

const kills = Number(process.env["HEADWATER_TEST_KILLS"] ?? 5);

test(`${kills} times kill -9 in the middle of an ingest: every document is indexed exactly once`, async (t) => {
  await killIngest({
    folder: await temporaryFolder(),
    kills,
    documents: 20 * kills,
    onProgress: (message) => t.diagnostic(message),
  });
});
