import assert from "node:assert/strict";
import { breachesOf } from "../testing/accessibility.ts";
import { eventually, pageTest, textsOf } from "../testing/page-test.ts";

pageTest(
  "memory is taught, explains itself, is searched, corrected and forgotten",
  async ({ page, gateway }) => {
    await page.goto("/?view=memory");
    await page.getByText("Nothing is remembered yet.").waitFor();
    const teach = async (statement: string) => {
      await page.getByLabel("Teach it a statement").fill(statement);
      await page.getByRole("button", { name: "Weigh it" }).click();
    };
    await teach("I live in Goslar.");
    await page.getByText(/^Remembered, as it is new\. Nothing that is remembered comes near it/).waitFor();
    await teach("I live in Goslar.");
    await page
      .getByText(/^Known already: that memory is stronger now\. Memory has nearly the same/)
      .waitFor();
    await teach("I measure springs.");
    await eventually(async () =>
      assert.deepEqual(await textsOf(page, ".memory-text"), ["I measure springs.", "I live in Goslar."]),
    );
    assert.deepEqual(await breachesOf(page), []);
    await page.getByLabel("Search what is remembered").fill("goslar");
    await eventually(async () =>
      assert.deepEqual(await textsOf(page, ".memory-text"), ["I live in Goslar."]),
    );
    await page.getByText("nearness 0.90").waitFor();
    await page.getByRole("button", { name: "Correct: I live in Goslar." }).click();
    await page.getByLabel("Correction").fill("I live in Altenau.");
    await page.keyboard.press("Enter");
    await page.getByText("I live in Altenau.").waitFor();
    await page.getByRole("button", { name: "Forget: I live in Altenau." }).click();
    await page.getByRole("button", { name: "Forget?" }).click();
    await page.getByText("Nothing like that.").waitFor();
    assert.deepEqual(
      gateway.memories.map(({ text }) => text),
      ["I measure springs."],
    );
    await page.getByLabel("Search what is remembered").fill("");
    await page.getByText("I measure springs.", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Forget everything" }).click();
    await page.getByRole("button", { name: "Forget everything, for good?" }).click();
    await page.getByText("Nothing is remembered yet.").waitFor();
  },
);
