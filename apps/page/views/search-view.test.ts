import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { Stage } from "@headwater/proto/connect/headwater/v1/search";
import { eventually, pageTest, textsOf } from "../testing/page-test.ts";
import { hitOf } from "../testing/search-double.ts";

pageTest(
  "hits improve as stages arrive, and each stage can be looked at again",
  async ({ page, gateway }) => {
    const gates = [0, 1, 2].map(() => Promise.withResolvers<void>());
    const [a, b, c] = gateway.store
      .passages()
      .slice(-3)
      .map((passage) => hitOf(passage, ["brewery"]));
    assert(a && b && c);
    const stage = (stage: Stage, elapsedMs: number, hits: (typeof a)[]) =>
      ({
        event: {
          case: "hits",
          value: {
            stage,
            elapsedMs,
            hits: hits.map((hit, index) => ({ ...hit, rank: index + 1, score: 3 - index })),
          },
        },
      }) as const;
    gateway.script.search = async function* () {
      yield stage(Stage.LEXICAL, 6.4, [a, b]);
      await gates[0]?.promise;
      yield stage(Stage.VECTOR, 9, [c]);
      yield stage(Stage.FUSED, 9.5, [b, a, c]);
      await gates[1]?.promise;
      yield stage(Stage.RERANKED, 48, [c, b, a]);
      await gates[2]?.promise;
      yield {
        event: {
          case: "summary",
          value: { finalStage: Stage.RERANKED, candidates: 3, milliseconds: { total: 49.6, rerank: 38 } },
        },
      };
    };
    await page.goto("/?q=brewery");
    const keys = () =>
      page.locator(".hits > li").evaluateAll((items) => items.map((item) => item.getAttribute("data-key")));
    const order = (hits: { passageId: string }[]) => hits.map(({ passageId }) => passageId);
    await eventually(async () => assert.deepEqual(await keys(), order([a, b])));
    assert.equal(await page.getByRole("radio", { name: /Reranked/ }).getAttribute("aria-disabled"), "true");
    gates[0]?.resolve();
    await eventually(async () => assert.deepEqual(await keys(), order([b, a, c])));
    gates[1]?.resolve();
    await eventually(async () => assert.deepEqual(await keys(), order([c, b, a])));
    assert.deepEqual(await textsOf(page, ".movement"), [
      "▲ 2 up by reranking",
      "▼ 1 down by reranking",
      "▼ 1 down by reranking",
    ]);
    gates[2]?.resolve();
    await page.getByText("50 ms", { exact: true }).waitFor();
    await page.getByRole("radio", { name: /Words/ }).click();
    await eventually(async () => assert.deepEqual(await keys(), order([a, b])));
    await page.keyboard.press("ArrowRight");
    await eventually(async () => assert.deepEqual(await keys(), order([c])));
  },
);

pageTest(
  "motion: hits slide from their old place to the new one, and not for those who asked for less",
  async ({ page, gateway }) => {
    const [a, b] = gateway.store
      .passages()
      .slice(-2)
      .map((passage) => hitOf(passage, []));
    assert(a && b);
    gateway.script.search = async function* () {
      yield { event: { case: "hits", value: { stage: Stage.FUSED, hits: [a, b] } } };
      await nextTurn();
      yield { event: { case: "hits", value: { stage: Stage.RERANKED, hits: [b, a] } } };
      yield { event: { case: "summary", value: { finalStage: Stage.RERANKED } } };
    };
    const moving = () =>
      page.evaluate(
        () =>
          document
            .getAnimations()
            .filter(
              (it) =>
                it.effect instanceof KeyframeEffect && (it.effect.target as Element).matches(".hits > li"),
            ).length,
      );
    await page.goto("/?q=x");
    await page.getByRole("radio", { name: /Reranked/, checked: true }).waitFor();
    await page.getByRole("radio", { name: /Fused/ }).click();
    assert.equal(await moving(), 0);
    await page.emulateMedia({ reducedMotion: "no-preference" });
    await page.getByRole("radio", { name: /Reranked/ }).click();
    await eventually(async () => assert.equal(await moving(), 2));
  },
);

pageTest("a hit explains its score, in shares that add up, and opens its passage", async ({ page }) => {
  await page.goto("/?q=brewery+cholera");
  await page.getByRole("button", { name: "Why here" }).first().click();
  const cells = await textsOf(page, ".why tbody td:last-child");
  const [sum] = await textsOf(page, ".why tfoot td");
  const added = cells.reduce((total, cell) => total + Number(cell), 0);
  assert(Math.abs(added - Number(sum)) < 0.002, `${cells} make ${sum}`);
  assert((await textsOf(page, ".hit mark")).includes("cholera"));
  await page.locator(".hit-title a").first().click();
  await page.getByRole("complementary", { name: "Document: The pump" }).waitFor();
  assert.match(page.url(), /doc=history%2Fpump.md&version=\d+&mark=\d+-\d+/);
  await page.goBack();
  await page.getByRole("complementary", { name: "Document: The pump" }).waitFor({ state: "detached" });
  assert((await page.locator(".hit").count()) > 0, "back shows the hits at once");
});

pageTest("filters and settings reach the server and stand in the address", async ({ page, gateway }) => {
  const requests: string[] = [];
  const { search } = gateway.script;
  gateway.script.search = (request, signal) => {
    requests.push(
      [
        request.filter?.mediaTypes.join(),
        request.filter?.attributes.map(({ key, values }) => `${key}=${values}`).join(),
        request.rerank?.disabled,
        request.groupByDocument,
      ].join("|"),
    );
    return search(request, signal);
  };
  await page.goto("/?q=brewery");
  await page.getByRole("button", { name: "Filters and settings" }).click();
  await page.getByRole("checkbox", { name: "HTML" }).check();
  await eventually(() => assert.equal(requests.at(-1), "text/html|||false"));
  await page.getByRole("checkbox", { name: "collection: engineering" }).check();
  await page.getByRole("checkbox", { name: "Rerank the best hits" }).uncheck();
  await page.getByRole("checkbox", { name: "One hit a document" }).check();
  await eventually(() => assert.equal(requests.at(-1), "text/html|collection=engineering|true|true"));
  assert.match(page.url(), /type=text%2Fhtml&attr=collection%3Aengineering&rerank=off&group=document/);
  await page.reload();
  await page.getByRole("button", { name: "Remove filter HTML" }).click();
  await eventually(() => assert.equal(requests.at(-1), "|collection=engineering|true|true"));
});

pageTest(
  "further hits follow, with ranks that go on",
  async ({ page }) => {
    await page.goto("/?q=brewery");
    await page.locator(".hit").first().waitFor();
    const before = await page.locator(".hit").count();
    await page.getByRole("button", { name: "More hits" }).click();
    await eventually(async () => assert((await page.locator(".hit").count()) > before));
    const ranks = (await textsOf(page, ".hit-rank")).map(Number);
    assert.deepEqual(
      ranks,
      ranks.map((_, index) => index + 1),
    );
  },
  {
    documents: Array.from({ length: 14 }, (_, index) => ({
      id: `d${index}.txt`,
      mediaType: "text/plain",
      text: `The brewery number ${index}.`,
    })),
  },
);

pageTest("what a search had to do without is said", async ({ page, gateway }) => {
  gateway.script.search = async function* () {
    yield {
      event: {
        case: "summary",
        value: {
          finalStage: Stage.FUSED,
          degradations: [
            {
              stage: Stage.RERANKED,
              reason: "HW_RERANK_BUDGET_EXHAUSTED",
              message: "Reranking took too long.",
            },
          ],
        },
      },
    };
  };
  await page.goto("/?q=x");
  await page.getByText("Reranking took too long.").waitFor();
  await page.getByText("Nothing was found.").waitFor();
});

pageTest("a failure is told with its message and what to do", async ({ page, gateway }) => {
  gateway.script.search = async function* () {
    yield { event: { case: "hits", value: { stage: Stage.LEXICAL } } };
    throw new ConnectError("The index was made with another model.", Code.FailedPrecondition);
  };
  await page.goto("/?q=x");
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match((await alert.textContent()) ?? "", /The index was made with another model\./);
  await alert.getByRole("button", { name: "Try again" }).waitFor();
});

pageTest("nothing jumps while a search runs", async ({ page }) => {
  await page.addInitScript(() => {
    const seen = { shift: 0 };
    Object.assign(globalThis, { seen });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & {
        value: number;
        hadRecentInput: boolean;
      })[])
        if (!entry.hadRecentInput) seen.shift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  await page.goto("/?q=brewery+cholera");
  await page.getByRole("radio", { name: /Reranked/, checked: true }).waitFor();
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  const shift = await page.evaluate(() => (globalThis as unknown as { seen: { shift: number } }).seen.shift);
  // Google counts up to 0.1 as good.
  assert(shift < 0.05, `cumulative layout shift ${shift}`);
});

pageTest("leaving a view ends its stream at the server", async ({ page, gateway }) => {
  const ended = Promise.withResolvers<void>();
  gateway.script.search = async function* (_request, signal) {
    signal.addEventListener("abort", () => ended.resolve());
    yield { event: { case: "hits", value: { stage: Stage.LEXICAL } } };
    await ended.promise;
  };
  await page.goto("/?q=x");
  await page.getByRole("radio", { name: /Words/, checked: true }).waitFor();
  await page.getByRole("link", { name: "Pipeline" }).click();
  await ended.promise;
});
