import type { Agent, Model } from "@headwater/client";
import { signal } from "@preact/signals";
import type { Fault } from "./fault.ts";
import { faultOf } from "./fault.ts";
import { server } from "./server.ts";

/** The agents and models that a message may be sent to. */
export interface Choices {
  readonly agents: readonly Agent[];
  readonly models: readonly Model[];
  /** Why there is no choice: the server's own is taken. */
  readonly fault: Fault | undefined;
}

export const choices = signal<Choices>({ agents: [], models: [], fault: undefined });

export async function readChoices(signal: AbortSignal): Promise<void> {
  try {
    const [{ agents }, models] = await Promise.all([
      server.agents.list({ pageSize: 200, signal }),
      server.models({ signal }),
    ]);
    choices.value = { agents, models, fault: undefined };
  } catch (thrown) {
    const fault = faultOf(thrown, signal);
    if (fault) choices.value = { ...choices.peek(), fault };
  }
}
