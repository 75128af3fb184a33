import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { HeadwaterError } from "@headwater/errors";
import { runTool } from "../testing/tool-context.ts";
import type { ToolOutcome } from "../tool.ts";
import { createSandboxSource } from "./sandbox-source.ts";

const settings = { memoryMb: 32, timeoutMs: 60_000, maxOutputLength: 2000, maxActive: 2 };
const source = createSandboxSource(settings);
/** For programs that end by the clock alone. */
const hurried = createSandboxSource({ ...settings, timeoutMs: 500 });
after(async () => {
  await source.close();
  await hurried.close();
});

const run = (code: string, signal?: AbortSignal): Promise<ToolOutcome> =>
  runTool(source, "run_code", { code }, signal);

async function fails(code: string, words: RegExp, from = source): Promise<void> {
  const { text, failed } = await runTool(from, "run_code", { code });
  assert(failed, text);
  assert.match(text, words);
}

describe("what a program may do", () => {
  test("prints, computes and gives its last value", async () => {
    const outcome = await run("console.log('a', 1, [2n, {x: null}]); const n = 20; n + 22");
    assert.deepEqual(outcome, { text: 'a 1 ["2",{"x":null}]\nValue: 42', failed: false });
  });

  test("awaits what it can settle itself", async () => {
    assert.equal((await run("(async () => { await null; return 'done'; })()")).text, "Value: done");
    assert.match((await run("new Promise(() => {})")).text, /nothing can settle/);
  });

  test("ends without output", async () => {
    assert.deepEqual(await run("let x = 1;"), { text: "The program ended without output.", failed: false });
  });

  test("is told what it threw, beside what it had printed", async () => {
    await fails("console.log('so far'); null.x", /^so far\nThe program threw TypeError: .*\n.*program\.js/);
    await fails("let let = 1", /SyntaxError/);
    await fails("(async () => { throw new RangeError('late'); })()", /RangeError: late/);
  });
});

describe("what a program may not do", () => {
  const escapes: Readonly<Record<string, string>> = {
    "name the host's globals":
      "[typeof require, typeof process, typeof fetch, typeof Buffer, typeof setTimeout, typeof WebAssembly, typeof std, typeof os, typeof scriptArgs, typeof Worker, typeof XMLHttpRequest, typeof Deno, typeof module, typeof __dirname].join()",
    "find them through constructors":
      "[typeof Function('return this')().process, typeof (0, eval)('this').require, typeof console.log.constructor('return this')().fetch].join()",
    "find them through what console is made of":
      "const seen = []; for (let at = console.log; at; at = Object.getPrototypeOf(at)) seen.push(...Object.getOwnPropertyNames(at)); String(seen.find((name) => /process|stdout|context|runtime|host/.test(name)))",
  };
  for (const [what, code] of Object.entries(escapes)) {
    test(what, async () => {
      const { text } = await run(code);
      assert.match(text, /^Value: (undefined,?)+$/);
    });
  }

  test("import a module", async () => {
    for (const name of ["fs", "node:fs", "child_process", "http", "std", "os", "file:///etc/passwd"])
      await fails(`import(${JSON.stringify(name)}).then((m) => Object.keys(m))`, /threw/);
    await fails("import 'fs'", /SyntaxError/);
    await fails("require('fs')", /ReferenceError: '?require'? is not defined/);
  });

  test("reach the host through an error, a stack or a call", async () => {
    const chain = `
      let deepest;
      const dig = () => { try { dig(); } catch (error) { deepest = error; throw error; } };
      try { dig(); } catch {}
      try { console.log({ toString() { throw deepest; }, toJSON() { throw deepest; } }); } catch (error) { deepest = error; }
      typeof deepest.constructor.constructor("return this")().process`;
    assert.match((await run(chain)).text, /Value: undefined$/);
    const prepare =
      "Error.prepareStackTrace = (_, frames) => frames; const s = new Error('x').stack; typeof s?.[0]?.getThis?.()";
    assert.match((await run(prepare)).text, /^Value: undefined$/);
  });

  test("change what the host prints or how the next program runs", async () => {
    const pollution = `
      Object.prototype.failed = true; Object.prototype.text = "polluted"; Array.prototype.map = () => ["polluted"];
      String.prototype.slice = () => "x".repeat(1e6); JSON.stringify = () => "polluted"; Promise.prototype.then = null;
      console.log("quiet"); "still a value"`;
    assert.deepEqual(await run(pollution), { text: "quiet\nValue: still a value", failed: false });
    assert.equal("text" in {}, false);
    assert.equal((await run("typeof {}.text + [1].map((x) => x + 1)")).text, "Value: undefined2");
  });

  test("run for ever", async () => {
    await fails("for (;;) {}", /stopped after 0.5 seconds/, hurried);
    await fails(
      "const again = () => Promise.resolve().then(again); again()",
      /stopped after 0.5 seconds/,
      hurried,
    );
    await fails("for (;;) try { for (;;) {} } catch {}", /stopped after 0.5 seconds/, hurried);
    await fails("/(a+)+$/.test('a'.repeat(40) + 'b')", /stopped after 0.5 seconds|threw/, hurried);
  });

  test("take more memory than it may", async () => {
    await fails("const all = []; for (;;) all.push({ at: all.length })", /more than 32 MiB/);
    await fails("new ArrayBuffer(512 * 1024 * 1024)", /more than 32 MiB|threw/);
    await fails("let s = 'x'; for (;;) s += s", /string too long|more than 32 MiB/);
    await fails("const dig = () => dig() + 1; dig()", /threw (InternalError|RangeError).*stack/);
  });

  test("print without end", async () => {
    const { text, failed } = await run("for (;;) console.log('x'.repeat(100))");
    assert(failed);
    assert.match(text, /printed more than 2000 characters and was stopped\.$/);
    assert(text.length < 2200);
    const value = await run("'x'.repeat(1e6)");
    assert(value.failed && value.text.length < 2200);
  });
});

test("a program ends with its turn, and too many at once are refused", async () => {
  const leaving = new AbortController();
  const endless = [run("for (;;) {}", leaving.signal), run("for (;;) {}", leaving.signal)];
  const settled = Promise.allSettled(endless);
  await assert.rejects(
    run("1"),
    (thrown) => thrown instanceof HeadwaterError && thrown.reason === "HW_SANDBOX_BUSY",
  );
  leaving.abort();
  assert.deepEqual(
    (await settled).map((result) => result.status === "rejected" && result.reason.name),
    ["AbortError", "AbortError"],
  );
  assert.equal((await run("1")).text, "Value: 1");
});
