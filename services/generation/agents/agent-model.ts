import { HeadwaterError, status } from "@headwater/errors";
import type { LanguageModel } from "@headwater/language-model";
import { namesTool } from "../tools/tool-registry.ts";
import type { AgentDefinition } from "./agent.ts";

/** The tool that stands for what a model without tools can do: answer from one search. */
export const searchToolName = "search";

/**
 * A model that cannot call tools answers from one search of the documents: nothing else that an agent may be told to do
 * can come of it, so it is refused where the agent has no search.
 *
 * @throws HeadwaterError FAILED_PRECONDITION, HW_AGENT_MODEL_WITHOUT_TOOLS
 */
export function checkModelServes({ tools }: AgentDefinition, model: LanguageModel): void {
  if (model.toolCalling !== "none" || tools.some(({ name }) => namesTool(name, searchToolName))) return;
  throw new HeadwaterError({
    code: status.FAILED_PRECONDITION,
    reason: "HW_AGENT_MODEL_WITHOUT_TOOLS",
    message: `The model "${model.name}" cannot call tools; it can only answer from a search of the documents, which this agent has not.`,
    action: `Give the agent a model that calls tools, or the tool "${searchToolName}".`,
  });
}
