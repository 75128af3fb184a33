/** One observation: features in a fixed order and whether it is positive. */
export interface Example {
  readonly features: readonly number[];
  readonly positive: boolean;
  /** Examples of both classes are made to weigh the same by setting this. */
  readonly weight: number;
}

/** Bias first, then one coefficient a feature. */
export type Coefficients = readonly number[];

const iterations = 50;
const ridge: number = 0.01;

/** Newton's method on the log-likelihood with a small ridge, which keeps separable data finite. */
export function fitLogistic(examples: readonly Example[]): Coefficients {
  const size = (examples[0]?.features.length ?? 0) + 1;
  let beta = Array<number>(size).fill(0);
  for (let round = 0; round < iterations; round += 1) {
    const gradient = beta.map((value, index) => (index === 0 ? 0 : -ridge * value));
    const hessian = beta.map((_, row) => beta.map((__, column) => (row === column ? ridge : 0)));
    for (const { features, positive, weight } of examples) {
      const x = [1, ...features];
      const p = 1 / (1 + Math.exp(-odds(beta, features)));
      for (const [row, value] of x.entries()) {
        gradient[row] = (gradient[row] ?? 0) + weight * ((positive ? 1 : 0) - p) * value;
        const line = hessian[row] ?? [];
        for (const [column, other] of x.entries()) {
          line[column] = (line[column] ?? 0) + weight * p * (1 - p) * value * other;
        }
      }
    }
    const step = solve(hessian, gradient);
    beta = beta.map((value, index) => value + (step[index] ?? 0));
    if (Math.max(...step.map(Math.abs)) < 1e-9) break;
  }
  return beta;
}

/** Logarithm of the odds that an example is positive. */
export function odds(beta: Coefficients, features: readonly number[]): number {
  return features.reduce((sum, value, index) => sum + value * (beta[index + 1] ?? 0), beta[0] ?? 0);
}

/** Area under the ROC curve: the chance that a positive example scores above a negative one. */
export function areaUnderCurve(
  scored: readonly { readonly score: number; readonly positive: boolean }[],
): number {
  const positives = scored.filter(({ positive }) => positive);
  const negatives = scored.filter(({ positive }) => !positive);
  let wins = 0;
  for (const high of positives) {
    for (const low of negatives) wins += high.score > low.score ? 1 : high.score === low.score ? 0.5 : 0;
  }
  return wins / Math.max(1, positives.length * negatives.length);
}

/** Gaussian elimination with partial pivoting. */
function solve(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((line, index) => [...line, right[index] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1) {
      if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[pivot]?.[column] ?? 0)) pivot = row;
    }
    const [top, chosen] = [rows[column] ?? [], rows[pivot] ?? []];
    rows[column] = chosen;
    if (pivot !== column) rows[pivot] = top;
    for (const [index, row] of rows.entries()) {
      if (index === column) continue;
      const factor = (row[column] ?? 0) / (chosen[column] ?? 1);
      for (let at = column; at <= size; at += 1) row[at] = (row[at] ?? 0) - factor * (chosen[at] ?? 0);
    }
  }
  return rows.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
}
