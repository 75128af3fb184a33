import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { DocumentState } from "@headwater/proto/connect/headwater/v1/ingest";
import { eventually, pageTest } from "../testing/page-test.ts";

pageTest(
  "files go through their states, failures say why, and can be tried again and deleted",
  async ({ page, gateway }) => {
    await page.goto("/?view=documents");
    await page.getByLabel("Files to add").setInputFiles([
      { name: "good.md", mimeType: "text/markdown", buffer: Buffer.from("# Good\n\nText.") },
      { name: "locked.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF") },
    ]);
    const line = (id: string) => page.locator(`.line[data-id="${id}"]`);
    const state = (id: string, label: string) => line(id).getByText(label, { exact: true }).waitFor();
    await state("good.md", "Queued");
    await page.getByText("0 of 2 documents indexed").waitFor();
    gateway.store.move("good.md", DocumentState.PARSING);
    await state("good.md", "Parsing");
    gateway.store.move("good.md", DocumentState.EMBEDDING);
    await state("good.md", "Embedding");
    gateway.store.move("good.md", DocumentState.INDEXED);
    await state("good.md", "Indexed");
    gateway.store.move("locked.pdf", DocumentState.FAILED, {
      stage: "parse",
      reason: "HW_DOCUMENT_ENCRYPTED",
      message: "The PDF is encrypted. Save it without a password.",
      attempts: 1,
    });
    await state("locked.pdf", "Failed");
    await line("locked.pdf").getByText("The PDF is encrypted. Save it without a password.").waitFor();
    await page.getByText("1 of 2 documents indexed", { exact: true }).waitFor();
    await page.locator("#content").getByText("1 failed", { exact: true }).waitFor();
    await line("locked.pdf").getByRole("button", { name: /^Try/ }).click();
    await state("locked.pdf", "Queued");
    await line("good.md")
      .getByRole("button", { name: /^Delete/ })
      .click();
    await line("good.md").getByRole("button", { name: "Delete?" }).click();
    await line("good.md").waitFor({ state: "detached" });
    assert.equal(gateway.store.documents.get("good.md")?.state, DocumentState.DELETED);
  },
);

pageTest("a file that is refused says why and can be sent again", async ({ page, gateway }) => {
  let refuse = true;
  gateway.script.receive = () => (refuse ? "Documents may have at most 64 MiB." : undefined);
  await page.goto("/?view=documents");
  await page
    .getByLabel("Files to add")
    .setInputFiles([{ name: "huge.txt", mimeType: "text/plain", buffer: Buffer.from("x") }]);
  await page.getByText("Documents may have at most 64 MiB.").waitFor();
  refuse = false;
  await page.getByRole("button", { name: "Try huge.txt again" }).click();
  await page.locator('.line[data-id="huge.txt"]').getByText("Queued").waitFor();
});

pageTest("hundreds of files are sent, and the page stays responsive", async ({ page, gateway }) => {
  await page.goto("/?view=documents");
  await page.evaluate(() => {
    const observed = { longest: 0 };
    Object.assign(globalThis, { observed });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) observed.longest = Math.max(observed.longest, duration);
    }).observe({ type: "longtask" });
  });
  const files = Array.from({ length: 400 }, (_, index) => ({
    name: `note-${index}.txt`,
    mimeType: "text/plain",
    buffer: Buffer.from(`Note ${index} about the brewery.`),
  }));
  await page.getByLabel("Files to add").setInputFiles(files);
  await eventually(() => assert.equal(gateway.store.inState(DocumentState.QUEUED).length, 400));
  for (const state of [DocumentState.PARSING, DocumentState.EMBEDDING, DocumentState.INDEXED])
    for (const { name } of files) {
      gateway.store.move(name, state);
      await nextTurn();
    }
  await page.getByText("400 of 400 documents indexed", { exact: true }).waitFor();
  const longest = await page.evaluate(
    () => (globalThis as unknown as { observed: { longest: number } }).observed.longest,
  );
  // 0.67 s was seen where others had the processors; a page that hangs is beyond this on any machine.
  assert(longest < 3000, `longest task: ${longest} ms`);
});

pageTest("pasted text becomes a document", async ({ page, gateway }) => {
  await page.goto("/?view=documents");
  await page.getByRole("button", { name: "Paste text" }).click();
  await page.getByLabel("Text", { exact: true }).fill("Rivers\nflow down.");
  await page.getByRole("button", { name: "Add it" }).click();
  await eventually(() => {
    const stored = [...gateway.store.documents.values()].find(({ id }) => id.startsWith("pasted/"));
    assert.equal(stored?.title, "Rivers");
    assert.equal(stored?.text, "Rivers\nflow down.");
  });
});

pageTest("files that are dropped anywhere are taken", async ({ page }) => {
  await page.goto("/");
  await page.getByText("Connected").waitFor();
  const transfer = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(["Dropped text."], "dropped.txt", { type: "text/plain" }));
    return transfer;
  });
  await page.dispatchEvent("main", "dragenter", { dataTransfer: transfer });
  await page.getByText("Let go to add them").waitFor();
  await page.dispatchEvent("main", "drop", { dataTransfer: transfer });
  await page.locator('.line[data-id="dropped.txt"]').getByText("Queued").waitFor();
});
