import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { DocumentState } from "@headwater/proto/connect/headwater/v1/ingest";
import { temporaryFolder } from "@headwater/testing";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { buildPage } from "../build.ts";
import { findChromium, launchChromium, openTab } from "./browser.ts";
import type { SeedDocument } from "./document-store-double.ts";
import type { GatewayDouble } from "./gateway-double.ts";
import { startGatewayDouble } from "./gateway-double.ts";
import { plausibleScript } from "./script.ts";

const chromium = findChromium();
const skip =
  chromium === undefined
    ? "NO CHROMIUM: the page is NOT tested. Install it, or set HEADWATER_CHROMIUM to its path."
    : false;
if (skip) process.stderr.write(`\n*** ${skip} ***\n\n`);

export const phone: BrowserContextOptions = {
  viewport: { width: 360, height: 740 },
  isMobile: true,
  hasTouch: true,
};

export const pump: SeedDocument = {
  id: "history/pump.md",
  title: "The pump",
  mediaType: "text/markdown",
  attributes: { collection: "history" },
  text: `# The pump

## Beer

${"Filler about other streets and other days. ".repeat(90)}

The brewery lost none of its men to cholera. They drank beer from the brewery well.

${"More filler after the passage. ".repeat(90)}`,
};

const dams: SeedDocument = {
  id: "engineering/dams.html",
  title: "Dams",
  mediaType: "text/html",
  attributes: { collection: "engineering" },
  text: "# Dams\n\nA dam holds water higher than it would stand.\n\nA brewery needs water, and some brewery men drowned.",
};

let browser: Browser | undefined;
const dist = await temporaryFolder();

before(async () => {
  if (chromium === undefined) return;
  await buildPage(dist);
  browser = await launchChromium(chromium);
});
after(() => browser?.close());

interface PageTestGiven {
  page: Page;
  gateway: GatewayDouble;
  /** Starts a gateway in the place of one that has been closed, on its port and with its conversations. */
  reopen(): Promise<GatewayDouble>;
}

interface PageTestOptions {
  context?: BrowserContextOptions;
  /** In the store, indexed. Default: `pump` and one more. */
  documents?: SeedDocument[];
  /** Complaints of the browser that belong to the test. */
  allow?: RegExp;
}

/** A test with a tab and a gateway of its own, which fails on any complaint of the browser. */
export function pageTest(
  name: string,
  run: (given: PageTestGiven) => Promise<void>,
  options: PageTestOptions = {},
): void {
  test(name, { skip }, async () => {
    assert(browser);
    const gateway = await startGatewayDouble(dist, plausibleScript);
    for (const document of options.documents ?? [pump, dams])
      gateway.store.put(document, DocumentState.INDEXED);
    const opened = [gateway];
    const reopen = async () => {
      const port = Number(new URL(gateway.url).port);
      const other = await startGatewayDouble(dist, plausibleScript, port, gateway.conversations);
      opened.push(other);
      return other;
    };
    const tab = await openTab(browser, gateway.url, options.context);
    try {
      await run({ page: tab.page, gateway, reopen });
      const complaints = tab.complaints.filter((complaint) => !options.allow?.test(complaint));
      assert.deepEqual(complaints, []);
    } finally {
      await tab.close();
      for (const each of opened) await each.close();
    }
  });
}

export async function textsOf(page: Page, selector: string): Promise<string[]> {
  return (await page.locator(selector).allTextContents()).map((text) => text.trim());
}

/** Tries until `check` does not throw; after eight seconds its error is the test's. */
export async function eventually(check: () => Promise<void> | void): Promise<void> {
  const until = Date.now() + 8000;
  for (;;) {
    try {
      return await check();
    } catch (thrown) {
      if (Date.now() > until) throw thrown;
      await new Promise((done) => setTimeout(done, 25));
    }
  }
}
