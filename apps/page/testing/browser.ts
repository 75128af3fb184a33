import { existsSync } from "node:fs";
import type { Browser, BrowserContext, BrowserContextOptions, ConsoleMessage, Page } from "playwright-core";
import { chromium } from "playwright-core";

/** The browser of the system; undefined where there is none. */
export function findChromium(): string | undefined {
  const places = [process.env["HEADWATER_CHROMIUM"] ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser"];
  return places.find((place) => place !== "" && existsSync(place));
}

export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** A tab of its own, with what it complained of. */
export interface Tab {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors, and answers of 400 and above. */
  readonly complaints: string[];
  close(): Promise<void>;
}

/** @param baseUrl where the page is served: a double, or a real gateway */
export async function openTab(
  browser: Browser,
  baseUrl: string,
  options: BrowserContextOptions = {},
): Promise<Tab> {
  const context: BrowserContext = await browser.newContext({
    baseURL: baseUrl,
    viewport: { width: 1280, height: 860 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  page.on("console", (message: ConsoleMessage) => {
    if (message.type() === "error" || message.type() === "warning")
      complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => complaints.push(`uncaught: ${error.stack ?? error.message}`));
  page.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  return { page, complaints, close: () => context.close() };
}
