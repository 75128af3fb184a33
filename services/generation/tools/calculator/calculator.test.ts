import assert from "node:assert/strict";
import { after, test } from "node:test";
import { runTool } from "../testing/tool-context.ts";
import { calculate } from "./calculation.ts";
import { createCalculator } from "./calculator.ts";

const calculator = createCalculator({ timeoutMs: 5000 });
after(() => calculator.close());
const run = (expression: string) => runTool(calculator, "calculator", { expression });

test("arithmetic is exact, in rational numbers and with many digits", () => {
  for (const [expression, result] of [
    ["0.1 + 0.2", "0.3"],
    ["1/3 * 3", "1"],
    ["1/3 + 1/6", "0.5"],
    ["2/3", "2/3 (about 0.66666666666666666666666666666667)"],
    ["-7/3", "-7/3 (about -2.3333333333333333333333333333333)"],
    ["2^100", "1267650600228229401496703205376"],
    ["(2/3)^-3", "3.375"],
    ["30!", "265252859812191058636308480000000"],
    ["combinations(60, 30)", "118264581564861424"],
    ["200 * 15%", "30"],
    ["7 % 3", "1"],
    [
      "123456789012345678901234567890 * 987654321098765432109876543210",
      "121932631137021795226185032733622923332237463801111263526900",
    ],
    ["sqrt(16)", "4"],
    ["sqrt(2)", "about 1.4142135623730950488016887242097"],
    ["2 × 3 ÷ 4 − 1 =", "0.5"],
    ["round(2.345, 2)", "2.35"],
    ["max(1/3, 0.4)", "0.4"],
    ["1e400 + 1", "about 1e+400"],
    ["9^9^9", "about 4.2812477317574704803698711593056e+369693099"],
  ] as const) {
    const { text, failed } = calculate(expression);
    assert(!failed, text);
    assert.equal(text, result, expression);
  }
});

test("units are known and converted", () => {
  for (const [expression, result] of [
    ["5 inch to cm", "12.7 cm"],
    ["60 mile/hour to km/hour", "96.56064 km / hour"],
    ["20 celsius to fahrenheit", "68 fahrenheit"],
    ["3 km + 20 m to m", "3020 m"],
    ["1.5 hour to minutes", "90 minutes"],
    ["1 GB to MB", "1000 MB"],
  ] as const) {
    assert.equal(calculate(expression).text, result);
  }
});

test("what is not of arithmetic is refused, in words that help", () => {
  for (const [expression, problem] of [
    ["2 +", /Unexpected end of expression/],
    ["1/0", /infinite|not defined/],
    ["sqrt(-1)", /not a real number/],
    ["x + 1", /x is not known/],
    ["5 km + 3 kg", /Units do not match/],
    ["1,234 + 1", /Unexpected operator ,/],
    ["a = 3", /not of arithmetic/],
    ["f(x) = x", /not of arithmetic/],
    ["[1, 2]", /not of arithmetic/],
    ["1:1000000", /not of arithmetic/],
    ['"text"', /is no number|not of arithmetic/],
    ['import("fs")', /The function import is not known/],
    ['evaluate("1")', /The function evaluate is not known/],
    ["random()", /The function random is not known/],
    ["createUnit(1)", /The function createUnit is not known/],
    ["sqrt.constructor(1)", /not known|not of arithmetic/],
    ["constructor", /constructor is not known/],
    ["1; 2", /not of arithmetic/],
    ["2 > 1 ? 1 : 0", /not of arithmetic|not known/],
    ["2 > 1", /The operator > is not known/],
  ] as const) {
    const { text, failed } = calculate(expression);
    assert(failed, `${expression}: ${text}`);
    assert.match(text, problem);
  }
});

test("the tool calculates in its thread, and one that takes too long is ended, also for those after it", async () => {
  assert.deepEqual(await run("6 * 7"), { text: "42", failed: false });
  const endless = await run("factorial(10^9)");
  assert.deepEqual([endless.failed, endless.text.slice(0, 30)], [true, "The expression takes too long "]);
  assert.deepEqual(await run("6 * 7"), { text: "42", failed: false });
});
