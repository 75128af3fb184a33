import type { Migration } from "@headwater/record-store";
import { agentTables } from "./agents/agent-tables.ts";
import { conversationTables } from "./conversations/conversation-tables.ts";
import { feedbackTables } from "./feedback/feedback-tables.ts";
import { jobTables } from "./jobs/job-tables.ts";
import { memoryTables } from "./memory/memory-tables.ts";
import { promptTables } from "./prompts/prompt-tables.ts";

/** A part's tables, without the place in the schema's history that `migrations` gives them. */
export type Tables = Omit<Migration, "id">;

/** The history of generation's schema: new ones at the end, released ones never changed. */
const history: readonly Tables[] = [
  promptTables,
  feedbackTables,
  conversationTables,
  agentTables,
  memoryTables,
  jobTables,
];

export const migrations: readonly Migration[] = history.map((tables, index) => ({
  id: index + 1,
  ...tables,
}));
