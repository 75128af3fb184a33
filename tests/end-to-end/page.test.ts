import assert from "node:assert/strict";
import { test } from "node:test";
import { startHeadwater } from "@headwater/cli/headwater-process";
import { temporaryFolder } from "@headwater/testing";
import { findChromium, launchChromium, openTab } from "../../apps/page/testing/browser.ts";
import { eventually } from "../support/eventually.ts";

const folder = await temporaryFolder();
const chromium = findChromium();
const question = "How many people were told to leave below Oroville Dam?";
const followUp = "And what was damaged there?";
const sampleDocuments = 19;
/** The whole sample corpus has to be parsed and embedded first. */
const patience = { timeout: 120_000 };

test("in a browser: load the sample, search, ask, open the evidence, and converse", {
  skip: chromium ? false : "no Chromium on this machine",
}, async () => {
  await using resources = new AsyncDisposableStack();
  const headwater = await startHeadwater(folder);
  resources.defer(async () => {
    await headwater.stop();
  });
  const browser = await launchChromium(chromium ?? "");
  resources.defer(() => browser.close());
  const { page, complaints } = await openTab(browser, headwater.url);

  await page.goto("/");
  await page.getByRole("button", { name: /Load the sample corpus/ }).click();
  // What is asked before all is there has another answer.
  await eventually("all samples are indexed", () => isIndexed(headwater.url), patience.timeout);
  const suggestion = page.locator(".suggestions a").first();
  await suggestion.waitFor(patience);
  await suggestion.click();
  await page.getByRole("radio", { name: /Reranked/, checked: true }).waitFor(patience);
  assert((await page.locator(".hit").count()) > 0);

  await page.goto("/?view=ask");
  await page.getByRole("searchbox").fill(question);
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  const source = page.getByRole("link", { name: /^Source \d/ }).first();
  await source.waitFor(patience);
  const answer = (await page.locator(".answer-text").allTextContents()).join("");
  assert.match(answer, /188,000/);
  await source.click();
  const evidence = page.locator(".panel mark").first();
  await evidence.waitFor(patience);
  assert.match((await evidence.textContent()) ?? "", /188,000/);

  await page.goto("/?view=chat");
  const converse = async (message: string) => {
    await page.getByLabel("Message").fill(message);
    await page.keyboard.press("Enter");
    await page.getByRole("article", { name: message }).locator(".turn-facts").waitFor(patience);
  };
  await converse(question);
  const cited = page.getByRole("article", { name: question }).getByRole("link", { name: /^Source \d/ });
  await cited.first().waitFor(patience);
  await converse(followUp);
  await page.waitForURL(/conversation=/);
  await page.reload();
  await cited.first().waitFor(patience);
  assert.deepEqual(await page.locator(".turn-question").allTextContents(), [question, followUp]);
  assert.match((await page.locator(".turn .answer-text").allTextContents()).join(""), /188,000/);
  assert.deepEqual(complaints, []);
});

/** @returns undefined while documents are to come, or under way */
async function isIndexed(url: string): Promise<true | undefined> {
  const response = await fetch(`${url}/v1/pipeline`);
  const { documents, lag } = (await response.json()) as { documents: { indexed: number }; lag: number };
  return (documents.indexed >= sampleDocuments && lag === 0) || undefined;
}
