import assert from "node:assert/strict";
import { DocumentState } from "@headwater/proto/connect/headwater/v1/ingest";
import { breachesOf, overflowOf } from "./testing/accessibility.ts";
import { eventually, pageTest, phone, pump } from "./testing/page-test.ts";

pageTest(
  "an empty store offers the sample corpus, then its questions",
  async ({ page, gateway }) => {
    await page.goto("/");
    await page.getByText("npx headwater ingest <folder>").waitFor();
    await page.getByRole("button", { name: /Load the sample corpus \(\d+ documents/ }).click();
    await eventually(() => assert(gateway.store.inState(DocumentState.QUEUED).length >= 12));
    for (const { id } of gateway.store.inState(DocumentState.QUEUED)) {
      assert.match(id, /^samples\//);
      gateway.store.move(id, DocumentState.INDEXED);
    }
    const question = page.locator(".suggestions a").first();
    await question.waitFor();
    await question.click();
    await page.getByRole("radio", { name: /Reranked/, checked: true }).waitFor();
  },
  { documents: [] },
);

pageTest(
  "a server that is gone is said to be gone, and found again",
  async ({ page, gateway, reopen }) => {
    await page.goto("/");
    await page.getByText("Connected").waitFor();
    await gateway.close();
    await page.getByRole("complementary", { name: "Connection" }).waitFor();
    await page.getByText("Headwater cannot be reached.").waitFor();
    await page.getByText("Not connected").waitFor();
    const other = await reopen();
    other.store.put(pump, DocumentState.INDEXED);
    await page.getByRole("button", { name: "Try now" }).click();
    await page.getByRole("complementary", { name: "Connection" }).waitFor({ state: "detached" });
    await page.getByText("1 document", { exact: true }).waitFor();
  },
  { allow: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/ },
);

pageTest("everything can be reached by keyboard alone", async ({ page }) => {
  await page.goto("/?view=pipeline");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent?.trim()), "Skip to the content");
  await page.keyboard.press("Enter");
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement?.id === "question");
  await page.keyboard.type("brewery cholera");
  await page.keyboard.press("Enter");
  await page.locator(".hit").nth(1).waitFor();
  const focusVisible = () =>
    page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle);
  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.closest(".hit-title"))) break;
  }
  assert.equal(await focusVisible(), "solid");
  await page.keyboard.press("ArrowDown");
  assert(await page.evaluate(() => document.querySelectorAll(".hit-title a")[1] === document.activeElement));
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  const panel = page.getByRole("complementary", { name: "Document: The pump" });
  await panel.waitFor();
  assert(await page.evaluate(() => document.activeElement?.classList.contains("panel")));
  await page.keyboard.press("Escape");
  await panel.waitFor({ state: "detached" });
  assert(await page.evaluate(() => document.querySelector(".hit-title a") === document.activeElement));
  await page.goto("/?view=documents");
  await page.locator(".line a").first().focus();
  await page.keyboard.press("End");
  assert.match(
    await page.evaluate(() => document.activeElement?.closest("li")?.getAttribute("data-id") ?? ""),
    /pump/,
  );
});

for (const [name, path] of [
  ["search", "/?q=brewery+cholera"],
  ["ask", `/?view=ask&q=${encodeURIComponent("Which brewery lost none of its men to cholera?")}`],
  ["chat", "/?view=chat"],
  ["documents", "/?view=documents"],
  ["agents", "/?view=agents&agent=new"],
  ["prompts", "/?view=prompts&prompt=chat"],
  ["memory", "/?view=memory"],
  ["jobs", "/?view=jobs"],
  ["pipeline", "/?view=pipeline"],
] as const) {
  pageTest(`${name} has no breach of accessibility, in light and in dark`, async ({ page }) => {
    await page.goto(path);
    await page.getByText("Connected").waitFor();
    if (name === "search") await page.getByRole("button", { name: "Why here" }).first().click();
    if (name === "ask") await page.locator(".cite").first().click();
    if (name === "ask") await page.locator(".panel mark").waitFor();
    assert.deepEqual(await breachesOf(page), []);
    const paper = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await paper();
    await page.emulateMedia({ colorScheme: "dark" });
    assert.notEqual(await paper(), light);
    assert.deepEqual(await breachesOf(page), []);
  });

  pageTest(
    `${name} fits a phone`,
    async ({ page }) => {
      await page.goto(path);
      await page.getByText("Connected").waitFor();
      if (name === "search") await page.getByRole("button", { name: "Why here" }).first().tap();
      assert.equal(await overflowOf(page), 0);
      if (name === "ask" || name === "search") {
        await page
          .locator(name === "ask" ? ".cite" : ".hit-title a")
          .first()
          .tap();
        const panel = page.getByRole("dialog", { name: "Document: The pump" });
        await panel.locator("mark").waitFor();
        assert.equal((await panel.boundingBox())?.width, 360);
        assert.equal(await overflowOf(page), 0);
        await panel.getByRole("button", { name: "Close the document" }).tap();
        await panel.waitFor({ state: "detached" });
      }
      assert.deepEqual(await breachesOf(page), []);
    },
    { context: phone },
  );
}

pageTest("the theme can be chosen, and is remembered without a flash", async ({ page }) => {
  await page.goto("/");
  const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByRole("button", { name: /^Colours/ }).click();
  await page.getByRole("button", { name: /^Colours/ }).click();
  assert.notEqual(await background(), light);
  await page.reload({ waitUntil: "commit" });
  await page.waitForFunction(() => document.documentElement.dataset["theme"] === "dark");
});
