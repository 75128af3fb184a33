import type { BigNumber, Fraction, MathNode, Unit } from "mathjs";
import * as mathjs from "mathjs";

/** What came of an expression. */
export interface Calculation {
  readonly text: string;
  readonly failed: boolean;
}

/** Significant digits that are calculated with, so that 100! is exact; and that are shown where there is no end. */
const precision = 256;
const shownDigits = 32;
/** Digits that an exact power may have; beyond it is rounded, as a number of a million digits helps nobody. */
const maxPowerDigits = 2000;

const allFunctions = mathjs.all ?? {};

/** Rational numbers of any size: + - * / and whole powers are exact. */
const rational = mathjs.create(allFunctions, { number: "Fraction" });
const decimal = mathjs.create(allFunctions, { number: "BigNumber", precision });

const constants = new Set(["pi", "e", "tau", "phi"]);
/** What numbers go into and a number comes out of; nothing that reads text, makes functions or draws lots. */
const functions = new Set(
  `abs acos acosh asin asinh atan atan2 atanh cbrt ceil combinations cos cosh cube exp factorial fix floor gcd hypot lcm
   log log10 log1p log2 max mean median min mod nthRoot permutations pow prod round sign sin sinh sqrt square std sum
   tan tanh to variance`.split(/\s+/),
);
const exactFunctions = new Set([
  "abs",
  "gcd",
  "lcm",
  "max",
  "min",
  "mod",
  "sum",
  "mean",
  "pow",
  "prod",
  "square",
  "cube",
  "sign",
]);
const operators: ReadonlySet<string> = new Set(["+", "-", "*", "/", "^", "!", "%", "mod", "to", "in"]);
const inexactOperators: ReadonlySet<string> = new Set(["to", "in", "!"]);

rational.import(
  {
    pow: (base: unknown, exponent: unknown) => {
      if (!rational.isFraction(base) || !rational.isFraction(exponent) || exponent.d !== 1n) throw notExact();
      const digits = Math.max(String(base.n).length, String(base.d).length);
      if (digits * Math.abs(Number(exponent.n)) > maxPowerDigits) throw notExact();
      return base.pow(exponent);
    },
  },
  { override: true },
);

/** Evaluates one expression; throws nothing: what is wrong with it is its result. */
export function calculate(expression: string): Calculation {
  try {
    const node = decimal.parse(plain(expression));
    const exact = check(node);
    return { text: (exact ? tryRational(node) : undefined) ?? showDecimal(node.evaluate()), failed: false };
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    return { text: `${thrown.message}. ${help}`.replace(/\.\./, "."), failed: true };
  }
}

const help =
  'Write one expression such as "(12.5 - 3) * 4 / 7", "2^64", "12 km + 300 m to mile" or "sqrt(2)", with numbers without thousands separators.';

/** Signs that people write for those that the parser knows. */
function plain(expression: string): string {
  return expression
    .replace(/[×·∙]/g, "*")
    .replace(/÷/g, "/")
    .replace(/[−–]/g, "-")
    .replace(/=\s*\??\s*$/, "");
}

/** @returns true where rational numbers may do; @throws Error for anything that is not of arithmetic */
function check(node: MathNode): boolean {
  let exact = true;
  node.traverse((part, path, parent) => {
    if (decimal.isConstantNode(part)) {
      // A per cent sign is parsed as a division by a plain 100.
      if (!decimal.isBigNumber(part.value) && part.value !== 100)
        throw new Error(`${part.toString()} is no number`);
    } else if (decimal.isOperatorNode(part)) {
      if (!operators.has(part.op)) throw new Error(`The operator ${part.op} is not known`);
      if (inexactOperators.has(part.op)) exact = false;
    } else if (decimal.isFunctionNode(part)) {
      const { name } = part.fn as { name?: string };
      if (name === undefined || !functions.has(name))
        throw new Error(`The function ${name ?? "there"} is not known`);
      if (!exactFunctions.has(name)) exact = false;
    } else if (decimal.isSymbolNode(part)) {
      const isFunction = path === "fn" && parent !== undefined && decimal.isFunctionNode(parent);
      if (isFunction) return;
      if (!constants.has(part.name) && !isUnit(part.name))
        throw new Error(`${part.name} is not known, neither as a unit nor as a constant`);
      exact = false;
    } else if (!decimal.isParenthesisNode(part)) {
      throw new Error(`"${part.toString().slice(0, 60)}" is not of arithmetic`);
    }
  });
  return exact;
}

function isUnit(name: string): boolean {
  return decimal.Unit.isValuelessUnit(name);
}

/** undefined where the expression leaves the rational numbers. */
function tryRational(node: MathNode): string | undefined {
  try {
    const value: unknown = rational.evaluate(node.toString());
    return rational.isFraction(value) ? showRational(value) : undefined;
  } catch (thrown) {
    // Not of rational numbers, or too large to be written out; a mistake of the expression itself comes up again.
    if (thrown instanceof Error) return undefined;
    throw thrown;
  }
}

function showRational(value: Fraction): string {
  const sign = value.s < 0n ? "-" : "";
  if (value.d === 1n) return `${sign}${value.n}`;
  const quotient = decimal.divide(
    decimal.bignumber(String(value.n)),
    decimal.bignumber(String(value.d)),
  ) as BigNumber;
  const shown = showNumber(quotient);
  if (!shown.startsWith(about)) return sign + shown;
  return `${sign}${value.n}/${value.d} (${about}${sign}${shown.slice(about.length)})`;
}

function showDecimal(value: unknown): string {
  if (decimal.isBigNumber(value)) return showNumber(value);
  if (decimal.isUnit(value)) return showUnit(value);
  if (decimal.isComplex(value)) throw new Error("The result is not a real number");
  if (typeof value === "number" && Number.isFinite(value)) return `${about}${value}`;
  throw new Error("The result is not a number");
}

function showUnit(unit: Unit): string {
  const written = unit.format({ notation: "auto", precision: shownDigits });
  return written;
}

const about = "about ";

function showNumber(value: BigNumber): string {
  if (!value.isFinite())
    throw new Error(value.isNaN() ? "The result is not defined" : "The result is infinite, or too large");
  const rounded = value.toSignificantDigits(shownDigits);
  // What rounding in the last of many digits has left of an exact number is one.
  const near =
    value.isZero() ||
    value
      .minus(rounded)
      .abs()
      .lessThan(value.abs().times(`1e-${precision - 20}`));
  // Of a number with more digits than are calculated with, nobody knows the last.
  if (value.e > precision - 20) return about + write(rounded);
  if (near) return write(rounded);
  return value.precision() < precision - 20 ? write(value) : about + write(rounded);
}

/** Plain digits as long as people would write them so. */
function write(value: BigNumber): string {
  return value.e > precision || value.e < -20 ? value.toExponential() : value.toFixed();
}

function notExact(): Error {
  return new Error("not exact");
}
