import assert from "node:assert/strict";
import { DocumentState } from "@headwater/proto/connect/headwater/v1/ingest";
import { pageTest, textsOf } from "../testing/page-test.ts";

pageTest(
  "the pipeline shows states, lag and dead letters, which can be replayed",
  async ({ page, gateway }) => {
    gateway.store.put({ id: "bad.zip", mediaType: "application/zip", text: "x" }, DocumentState.QUEUED);
    gateway.store.move("bad.zip", DocumentState.FAILED, {
      stage: "parse",
      reason: "HW_ARCHIVE_BOMB",
      message: "The archive unpacks to more than is allowed.",
      attempts: 3,
    });
    await page.goto("/?view=pipeline");
    await page.getByText("The archive unpacks to more than is allowed.").waitFor();
    await page.getByText("HW_ARCHIVE_BOMB · at parse · 3 attempts").waitFor();
    await page.getByRole("button", { name: "Try bad.zip again" }).click();
    await page.getByText("None: every document could be processed.").waitFor();
    await page.getByText("1 behind").waitFor();
    assert.match((await textsOf(page, ".station")).join(" "), /1Queued.*2Indexed.*0Failed/);
  },
);
