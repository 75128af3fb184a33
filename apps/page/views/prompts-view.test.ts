import assert from "node:assert/strict";
import { breachesOf } from "../testing/accessibility.ts";
import { pageTest, textsOf } from "../testing/page-test.ts";

pageTest("a prompt gets versions, which are compared, labelled, split and rolled back", async ({ page }) => {
  await page.goto("/?view=prompts");
  await page.getByRole("link", { name: "chat", exact: true }).click();
  await page.getByRole("heading", { name: "Comes with Headwater" }).waitFor();
  await page.getByRole("button", { name: "New version" }).click();
  const text = page.getByLabel("Text", { exact: true });
  assert.equal(await text.inputValue(), "Answer from the sources. Today is {{date}}.");
  await text.fill("Answer briefly. {{dat}}");
  await page.getByText("{{dat}} is not known.").waitFor();
  assert(await page.getByRole("button", { name: "Save as a new version" }).isDisabled());
  await text.fill("Answer briefly.");
  await page.getByLabel("Why it is made").fill("Shorter answers");
  await page.getByRole("button", { name: "Save as a new version" }).click();
  await page.getByRole("heading", { name: "Version 1" }).waitFor();
  await page.getByText("Shorter answers").waitFor();
  await page.locator(".diff").waitFor();
  assert.deepEqual(await textsOf(page, ".diff-removed"), ["-Answer from the sources. Today is {{date}}."]);
  assert.deepEqual(await textsOf(page, ".diff-added"), ["+Answer briefly."]);

  await page.getByRole("button", { name: "Set a label" }).click();
  await page.getByRole("button", { name: "Set it" }).click();
  const production = page.locator(".entry", { has: page.getByRole("heading", { name: "production" }) });
  await production.getByText("version 1").waitFor();
  await page.getByRole("button", { name: "Change production" }).click();
  await page.getByRole("button", { name: "Split with another version" }).click();
  await page.getByLabel("Weight").first().fill("3");
  await page.getByRole("button", { name: "Set it" }).click();
  await production.getByText("version 1 75%, built in 25%").waitFor();
  assert.deepEqual(await breachesOf(page), []);
  await page.getByRole("button", { name: "Roll back production" }).click();
  await page.getByRole("button", { name: "Roll back?" }).click();
  await production.getByText("version 1", { exact: true }).waitFor();
});

pageTest("a prompt of one's own is made and deleted", async ({ page }) => {
  await page.goto("/?view=prompts");
  await page.getByRole("button", { name: "New prompt" }).click();
  await page.getByLabel("Name").fill("pirate");
  await page.getByLabel("Text", { exact: true }).fill("Answer {{question}} as a pirate.");
  await page.getByText("Variables: question").waitFor();
  await page.getByRole("button", { name: "Save as a new version" }).click();
  await page.getByRole("heading", { name: "pirate" }).waitFor();
  await page.getByRole("heading", { name: "Version 1" }).waitFor();
  await page.getByRole("button", { name: "Delete pirate" }).click();
  await page.getByRole("button", { name: "Delete all versions?" }).click();
  await page.getByRole("link", { name: "chat", exact: true }).waitFor();
  assert.equal(await page.getByRole("link", { name: "pirate" }).count(), 0);
});
