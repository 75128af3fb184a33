import assert from "node:assert/strict";
import { test } from "node:test";
import { importPart } from "./import-part.ts";

test("a part that is missing is named, with what to do", async () => {
  // Not known to the compiler, as a module that an image leaves out is not to Node.
  const missing = new URL("./no-such-part.ts", import.meta.url).href;
  await assert.rejects(
    importPart("The part", () => import(missing), "Do without it."),
    { reason: "HW_LEFT_OUT", message: "The part is not a part of this image.", action: "Do without it." },
  );
});

test("a part that is there but fails says so itself", async () => {
  const broken = new Error("broken");
  await assert.rejects(
    importPart("The part", () => Promise.reject(broken), "Do without it."),
    broken,
  );
});
