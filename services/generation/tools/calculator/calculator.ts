import { Piscina } from "piscina";
import type { Tool, ToolOutcome, ToolSource } from "../tool.ts";
import type { Calculation } from "./calculation.ts";

export interface CalculatorOptions {
  /** Milliseconds for one expression, 5,000 by default: some ask for more digits than can be reckoned. */
  readonly timeoutMs?: number;
}

const maxExpressionLength = 1000;
/** Expressions that wait; further ones are refused. */
const maxQueue = 256;
/** Mebibytes of heap. */
const heapMb = 256;

/** Exact arithmetic in a thread of its own, which is ended with an expression that takes too long. */
export function createCalculator({ timeoutMs = 5000 }: CalculatorOptions = {}): ToolSource {
  const thread = createThread();
  const tool: Tool = {
    name: "calculator",
    description:
      'Calculates one expression exactly, with numbers of any size: + - * / ^ ! %, brackets, sqrt, log, round, min, max, gcd, combinations, trigonometric functions and others, pi and e. Knows units and converts them: "5 mile/hour to km/hour", "3 kg + 200 g to lb".',
    parameters: {
      type: "object",
      properties: {
        expression: {
          type: "string",
          minLength: 1,
          maxLength: maxExpressionLength,
          description: 'Such as "(3 + 4) * 2.5"',
        },
      },
      required: ["expression"],
      additionalProperties: false,
    },
    source: "built-in",
    needsApproval: false,
    untrusted: false,
    async run({ expression }, { signal }): Promise<ToolOutcome> {
      await thread.ready();
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        return await thread.run(String(expression), AbortSignal.any([signal, timeout]));
      } catch (thrown) {
        signal.throwIfAborted();
        if (!timeout.aborted) throw thrown;
        return { text: "The expression takes too long to calculate. Ask for less.", failed: true };
      }
    },
  };
  return {
    tools: async () => ({ tools: [tool], unavailable: [] }),
    close: () => thread.close(),
  };
}

/** Started by the first who needs it, and again after one that was ended. */
function createThread() {
  let pool: Piscina<string, Calculation> | undefined;
  let loading: Promise<unknown> | undefined;
  return {
    /** The library takes a while to load, which no expression is to pay for with its time. */
    async ready(): Promise<void> {
      pool ??= new Piscina({
        filename: new URL("./calculation-thread.ts", import.meta.url).href,
        ...{ minThreads: 1, maxThreads: 1, maxQueue, env: {} },
        resourceLimits: { maxOldGenerationSizeMb: heapMb },
      });
      try {
        loading ??= pool.run("0");
        await loading;
      } catch (thrown) {
        loading = undefined;
        throw thrown;
      }
    },
    async run(expression: string, signal: AbortSignal): Promise<Calculation> {
      if (!pool) throw new TypeError("the thread was not started");
      try {
        return await pool.run(expression, { signal });
      } catch (thrown) {
        loading = undefined;
        throw thrown;
      }
    },
    async close(): Promise<void> {
      await pool?.destroy();
    },
  };
}
