import assert from "node:assert/strict";
import { test } from "node:test";
import { embeddingText } from "./index.ts";

test("title and headings stand before the text", () => {
  assert.equal(
    embeddingText({ title: "Guide", headingPath: ["Install", "Linux"], text: "Run the script." }),
    "Guide\nInstall\nLinux\nRun the script.",
  );
});

test("what the text begins with, and a heading equal to the title, are not repeated", () => {
  assert.equal(
    embeddingText({ title: "Wing flutter .", headingPath: [], text: "wing  flutter. A study." }),
    "wing  flutter. A study.",
  );
  assert.equal(
    embeddingText({ title: "Guide", headingPath: ["Guide", "Linux"], text: "## Linux\nRun it." }),
    "Guide\n## Linux\nRun it.",
  );
});

test("an empty title adds nothing, and the text always ends the result as it is", () => {
  assert.equal(embeddingText({ title: " ", headingPath: ["", "—"], text: " a\n" }), " a\n");
  assert.equal(embeddingText({ title: "T", headingPath: [], text: "" }), "T\n");
});
