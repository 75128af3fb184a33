import assert from "node:assert/strict";
import type { AnswerMessage } from "../testing/gateway-double.ts";
import { eventually, pageTest, textsOf } from "../testing/page-test.ts";

pageTest("an answer streams, its citations show the quote and open the evidence", async ({ page }) => {
  await page.goto("/?view=ask");
  await page.getByRole("searchbox").fill("Which brewery lost none of its men to cholera?");
  await page.getByRole("button", { name: "Ask", exact: true }).click();
  const chip = page.getByRole("link", { name: /^Source 1: The pump/ });
  await chip.waitFor();
  assert.match(
    (await textsOf(page, ".answer-text")).join(""),
    /The brewery lost none of its men to cholera\./,
  );
  await chip.hover();
  const card = page.locator(".card:popover-open");
  await card.waitFor();
  assert.match((await card.textContent()) ?? "", /lost none of its men/);
  assert.equal(await page.locator(".claim-on").textContent(), "The brewery lost none of its men to cholera.");
  await chip.click();
  const panel = page.getByRole("complementary", { name: "Document: The pump" });
  await panel.locator("mark").waitFor();
  assert.equal(await panel.locator("mark").textContent(), "The brewery lost none of its men to cholera.");
  await eventually(async () => {
    const box = await panel.locator("mark").boundingBox();
    assert(box && box.y > 90 && box.y < 760, `the evidence is in sight: ${JSON.stringify(box)}`);
  });
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });
  assert.match(await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200) ?? ""), /cite/);
});

pageTest("documents that do not say are said not to", async ({ page }) => {
  await page.goto(`/?view=ask&q=${encodeURIComponent("Who won the football in Peru yesterday?")}`);
  await page.getByText("The documents do not say.").first().waitFor();
  assert.equal(await page.locator(".cite").count(), 0);
});

pageTest("Stop ends the stream at the server and keeps what has come", async ({ page, gateway }) => {
  const ended = Promise.withResolvers<void>();
  gateway.script.answer = async function* (_request, signal): AsyncGenerator<AnswerMessage> {
    signal.addEventListener("abort", () => ended.resolve());
    yield { event: { case: "passages", value: {} } };
    yield { event: { case: "text", value: { text: "A first half" } } };
    await ended.promise;
  };
  await page.goto("/?view=ask&q=x");
  await page.getByText("A first half").waitFor();
  await page.getByRole("button", { name: "Stop" }).click();
  await ended.promise;
  await page.getByText("Stopped here, as you asked.").waitFor();
  assert.match((await textsOf(page, ".answer-text")).join(""), /A first half/);
});
