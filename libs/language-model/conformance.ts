import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { LanguageModel, ModelEvent, ModelRequest } from "./language-model.ts";

/** A model under test. */
export interface ModelUnderTest {
  readonly model: LanguageModel;
  close(): Promise<void>;
}

/** The one source that says when the bridge was opened; a model under test answers from it and cites it as [2]. */
export const conformanceRequest: ModelRequest = {
  question: "When was the Firth of Forth railway bridge opened?",
  sources: [
    {
      number: 1,
      title: "Trains",
      text: "Trains carry coal. Coal is heavy and black, and burns well in an engine.",
    },
    {
      number: 2,
      title: "Bridges",
      text: "Bridges carry trains over water. The Firth of Forth railway bridge was opened in March 1890 by a prince.",
    },
  ],
  messages: [
    { role: "system", text: "Answer from the sources and cite them like [1]." },
    {
      role: "user",
      text: "The two sources, and the question when the Firth of Forth railway bridge was opened.",
    },
  ],
  maxOutputTokens: 200,
};

/**
 * What every LanguageModel must do; registers node:test cases.
 *
 * @param create a model that answers `conformanceRequest` from source 2 in at least 10 tokens
 */
export function languageModelConformance(name: string, create: () => Promise<ModelUnderTest>): void {
  describe(`${name} is a language model`, () => {
    let subject: ModelUnderTest;
    before(async () => {
      subject = await create();
    });
    after(() => subject.close());
    const never = new AbortController().signal;
    const generate = (change: Partial<ModelRequest> = {}, signal = never) =>
      subject.model.generate({ ...conformanceRequest, ...change }, signal);

    test("it has a name and a provider", () => {
      assert.notEqual(subject.model.name, "");
      assert(
        ["extractive", "openai-compatible", "openai", "anthropic", "cohere"].includes(subject.model.provider),
      );
    });

    test("text comes first, one finish comes last, and the source of the claim is cited", async () => {
      const events = await Array.fromAsync(generate());
      assert.equal(events[0]?.type, "text");
      assert.equal(events.filter(({ type }) => type === "finish").length, 1);
      const finish = events.at(-1);
      assert(finish?.type === "finish");
      assert.equal(finish.reason, "complete");
      assert(finish.usage.inputTokens > 0 && finish.usage.outputTokens > 0);
      const text = textOf(events);
      assert.match(text, /1890/);
      assert.deepEqual([...new Set(text.match(/\[\d+\]/g))], ["[2]"]);
    });

    test("evidence follows its marker and lies within its source", async () => {
      let text = "";
      for await (const event of generate()) {
        if (event.type === "text") text += event.text;
        if (event.type !== "evidence") continue;
        assert(text.trimEnd().endsWith(`[${event.source}]`), text);
        const source = conformanceRequest.sources.find(({ number }) => number === event.source);
        assert(source && event.start >= 0 && event.end > event.start && event.end <= source.text.length);
        assert(event.support > 0 && event.support <= 1);
      }
    });

    test("an answer that reaches its bound ends with the reason length", async () => {
      const events = await Array.fromAsync(generate({ maxOutputTokens: 8 }));
      const finish = events.at(-1);
      assert(finish?.type === "finish");
      assert.equal(finish.reason, "length");
      assert(finish.usage.outputTokens <= 8);
    });

    test("an aborted signal throws AbortError, before the first event and after it", async () => {
      await assert.rejects(Array.fromAsync(generate({}, AbortSignal.abort())), { name: "AbortError" });
      const leave = new AbortController();
      const events = generate({}, leave.signal)[Symbol.asyncIterator]();
      await events.next();
      leave.abort();
      const rest = async () => {
        while (!(await events.next()).done);
      };
      // A model that had all but ended may end; it must not hang or stream on.
      await rest().catch((thrown: Error) => assert.equal(thrown.name, "AbortError"));
    });

    test("a reader who leaves after the first event leaves nothing behind, and the next is served", async () => {
      for (let times = 0; times < 20; times += 1) for await (const _ of generate()) break;
      assert.equal((await Array.fromAsync(generate())).at(-1)?.type, "finish");
    });

    test("answers side by side do not mix", async () => {
      const texts = await Promise.all(
        Array.from({ length: 8 }, async () => textOf(await Array.fromAsync(generate()))),
      );
      assert.deepEqual(texts, Array(8).fill(texts[0]));
    });
  });
}

function textOf(events: readonly ModelEvent[]): string {
  return events.flatMap((event) => (event.type === "text" ? [event.text] : [])).join("");
}
