import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "@headwater/testing";
import type { Source } from "./source.ts";
import type { Library } from "./testing/library.ts";
import { startLibrary } from "./testing/library.ts";

let library: Library;

before(async () => {
  library = await startLibrary();
});
after(() => library.close());

test("what is refused at the door is not read again before it has changed", async () => {
  let version = "1";
  let listed = 0;
  const opened: string[] = [];
  const source: Source = {
    ...{ name: "double:refused/", idPrefix: "refused/", intervalSeconds: 0.02, close: async () => {} },
    async *list() {
      listed += 1;
      yield {
        ...{ id: "refused/a", version, isSame: async () => false },
        open: async () => {
          opened.push(version);
          return { id: "refused/a", content: "a" };
        },
      };
    },
  };
  const leaving = new AbortController();
  const ended = assert.rejects(library.hire(leaving).librarian.follow(source), { name: "AbortError" });
  await until("it is listed three times", () => listed >= 3);
  assert.deepEqual(opened, ["1"]);
  version = "2";
  await until("it is read again", () => opened.length === 2);
  const before = listed;
  await until("it is listed again", () => listed >= before + 2);
  leaving.abort();
  await ended;
  assert.deepEqual(opened, ["1", "2"]);
});
