import assert from "node:assert/strict";
import { test } from "node:test";
import { areaUnderCurve, fitLogistic, odds } from "./logistic-regression.ts";

test("the fit finds the odds that made the data", () => {
  // At each x the share of positives is that of log odds 2x - 1.
  const examples = [-2, -1, 0, 1, 2].flatMap((x) => {
    const p = 1 / (1 + Math.exp(1 - 2 * x));
    return [
      { features: [x], positive: true, weight: 1000 * p },
      { features: [x], positive: false, weight: 1000 * (1 - p) },
    ];
  });
  const beta = fitLogistic(examples);
  assert(Math.abs((beta[0] ?? 0) + 1) < 0.001 && Math.abs((beta[1] ?? 0) - 2) < 0.001, String(beta));
  assert(Math.abs(odds(beta, [0.5])) < 0.001);
});

test("separable data gives finite coefficients", () => {
  const beta = fitLogistic([
    { features: [0, 1], positive: false, weight: 1 },
    { features: [1, 0], positive: true, weight: 1 },
  ]);
  assert(beta.every(Number.isFinite) && odds(beta, [1, 0]) > 0 && odds(beta, [0, 1]) < 0);
});

test("the area under the curve counts pairs in the right order, ties by half", () => {
  const scored = [
    { score: 3, positive: true },
    { score: 1, positive: true },
    { score: 2, positive: false },
    { score: 1, positive: false },
  ];
  assert.equal(areaUnderCurve(scored), (2 + 0.5) / 4);
});
