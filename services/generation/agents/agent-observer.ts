import type { GenerationMetrics } from "../metrics.ts";
import { turnEndReasonNames } from "../metrics.ts";
import type { StepEvent } from "../turns/turn.ts";

/** Passes the events of an agent's turn on, and counts its first text, its calls of tools and its end. */
export async function* observeAgent(
  events: AsyncGenerator<StepEvent>,
  model: string,
  metrics: GenerationMetrics,
): AsyncGenerator<StepEvent> {
  const started = performance.now();
  let spoke = false;
  for await (const step of events) {
    const { event } = step;
    if (event.$case === "text" && !spoke) {
      spoke = true;
      metrics.countFirstToken(model, (performance.now() - started) / 1000);
    } else if (event.$case === "toolResult") {
      const outcome = event.value?.failed ? "failed" : "ok";
      metrics.toolCalls.inc({ model, outcome });
      metrics.toolSeconds.observe({ outcome }, (event.value?.elapsedMs ?? 0) / 1000);
    } else if (event.$case === "end") {
      const reason = turnEndReasonNames.get(event.value?.reason ?? 0);
      if (reason !== undefined) metrics.ended.inc({ model, reason });
    }
    yield step;
  }
}
