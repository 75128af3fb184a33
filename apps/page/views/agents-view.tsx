import type { Agent } from "@headwater/client";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { AgentForm } from "../components/agent-form.tsx";
import { ConfirmButton } from "../components/confirm-button.tsx";
import { FaultNote } from "../components/fault-note.tsx";
import { Icon } from "../components/icon.tsx";
import { Link } from "../components/link.tsx";
import { agentList, deleteAgent, listAgents, listTools } from "../state/agents.ts";
import { choices, readChoices } from "../state/choices.ts";
import type { Fault } from "../state/fault.ts";
import { navigate, route } from "../state/navigation.ts";

/** Stands in the address for the agent that is to be made; ids are UUIDs. */
const newAgent = "new";

export function AgentsView() {
  const { agents, loading, fault } = agentList.value;
  const { models } = choices.value;
  const open = route.value.agent;
  useEffect(() => {
    const leaving = new AbortController();
    void listAgents(leaving.signal);
    void listTools(leaving.signal);
    void readChoices(leaving.signal);
    return () => leaving.abort();
  }, []);
  const agent = agents.find(({ id }) => id === open);
  if (open === newAgent || agent)
    return (
      <>
        <h1>{agent ? agent.name : "A new agent"}</h1>
        <AgentForm
          key={`${open}/${agent?.version}`}
          agent={agent}
          onDone={() => navigate({ agent: "" }, "replace")}
        />
      </>
    );
  return (
    <>
      <div class="view-head">
        <h1>Agents</h1>
        <Link class="button button-main" to={{ agent: newAgent }}>
          <Icon name="plus" />
          <span>New agent</span>
        </Link>
      </div>
      <p class="lead">
        An agent is a model with a task and tools. It reasons, calls a tool, looks at what came of it, and
        goes on until it can answer.
      </p>
      {models.length > 0 && models.every(({ toolCalling }) => toolCalling === "none") && (
        <p class="note note-warning">
          No model here can call tools, so that agents cannot answer yet. docs/models.md says how to name one.
        </p>
      )}
      <FaultNote fault={fault} onRetry={() => void listAgents()} />
      {open !== "" && !loading && !fault && <p class="note note-warning">This agent is gone.</p>}
      {agents.length === 0 && !loading && !fault && <p class="empty">No agents yet.</p>}
      <ul class="cards">
        {agents.map((agent) => (
          <AgentCard key={agent.id} agent={agent} />
        ))}
      </ul>
    </>
  );
}

function AgentCard({ agent }: { agent: Agent }) {
  const fault = useSignal<Fault | undefined>(undefined);
  const { id, name, description, model, tools } = agent;
  return (
    <li class="entry">
      <div class="entry-main">
        <h2>
          <Link class="entry-title" to={{ agent: id }}>
            {name}
          </Link>
        </h2>
        {description && <p>{description}</p>}
        <p class="entry-facts">
          <span>{model || "the usual model"}</span>
          {tools.map((tool) => (
            <span key={tool.name} class="badge">
              {tool.name}
              {tool.needsApproval && ", with approval"}
            </span>
          ))}
        </p>
        <FaultNote fault={fault.value} />
      </div>
      <div class="entry-actions">
        <Link class="button" to={{ view: "chat", agent: id, conversation: "", document: undefined }}>
          <Icon name="chat" />
          <span>Chat</span>
          <span class="unseen"> with {name}</span>
        </Link>
        <ConfirmButton
          label={`Delete ${name}`}
          question="Delete?"
          onConfirm={() =>
            void deleteAgent(agent).then((failed) => {
              fault.value = failed;
            })
          }
        >
          <Icon name="trash" />
        </ConfirmButton>
      </div>
    </li>
  );
}
