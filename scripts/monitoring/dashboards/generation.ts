import type { Dashboard } from "../dashboard.ts";
import { metric, quantiles, rate, share, sumBy } from "../promql.ts";

const ofGeneration = 'service="generation"';

export const generation: Dashboard = {
  name: "generation",
  title: "Generation",
  description:
    "Answers and conversations by language model: time to the first token, tokens, cost, refusals, tools.",
  rows: [
    {
      title: "Answers",
      panels: [
        {
          title: "Answers and turns",
          description: "Begun, a second: answer is one question, chat a turn of a conversation.",
          unit: "reqps",
          queries: [{ expr: sumBy(["kind"], rate("rag_queries_total", ofGeneration)), legend: "{{kind}}" }],
        },
        {
          title: "Under way",
          description: "Streams that are open: what generation is scaled on.",
          unit: "short",
          queries: [
            { expr: sumBy(["kind"], metric("rag_active_requests", ofGeneration)), legend: "{{kind}}" },
          ],
        },
        {
          title: "First text",
          description: "From request to the first text, search included. The objective is 95 % below 5 s.",
          unit: "s",
          limit: 5,
          queries: quantiles("headwater_generation_first_token_seconds", ["model"], [0.5, 0.95]),
        },
        {
          title: "How answers end",
          description:
            "no_support: the documents do not say; refused: the model would not; the limits are those of agents.",
          unit: "ops",
          stacked: true,
          queries: [
            {
              expr: sumBy(["reason"], rate("headwater_generation_answers_total")),
              legend: "{{reason}}",
            },
          ],
        },
        {
          title: "Refused by the model",
          description: "Share of answers, by model.",
          unit: "percentunit",
          queries: [
            {
              expr: share(
                sumBy(["model"], rate("headwater_generation_answers_total", 'reason="refused"')),
                sumBy(["model"], rate("headwater_generation_answers_total")),
              ),
              legend: "{{model}}",
            },
          ],
        },
        {
          title: "Without support in the documents",
          description: "Share of answers that say so, by model.",
          unit: "percentunit",
          queries: [
            {
              expr: share(
                sumBy(["model"], rate("headwater_generation_answers_total", 'reason="no_support"')),
                sumBy(["model"], rate("headwater_generation_answers_total")),
              ),
              legend: "{{model}}",
            },
          ],
        },
      ],
    },
    {
      title: "Language models",
      panels: [
        {
          title: "Tokens read",
          description: "By model; those of calls that broke off are estimated.",
          unit: "ops",
          stacked: true,
          queries: [
            {
              expr: sumBy(["model"], rate("headwater_generation_tokens_total", 'direction="input"')),
              legend: "{{model}}",
            },
          ],
        },
        {
          title: "Tokens written",
          description: "By model, thoughts and calls of tools included.",
          unit: "ops",
          stacked: true,
          queries: [
            {
              expr: sumBy(["model"], rate("headwater_generation_tokens_total", 'direction="output"')),
              legend: "{{model}}",
            },
          ],
        },
        {
          title: "Dollars a day",
          description: "At the rate of the last hour, by the prices in the models file; 0 where it has none.",
          unit: "currencyUSD",
          stacked: true,
          queries: [
            {
              expr: `86400 * sum by (model) (rate(${metric("headwater_generation_cost_dollars_total")}[1h]))`,
              legend: "{{model}}",
            },
          ],
        },
        {
          title: "One call of a model",
          description: "p95 from request to last token.",
          unit: "s",
          queries: quantiles("gen_ai_client_operation_duration_seconds", ["gen_ai_request_model"], [0.95]),
        },
        {
          title: "Calls of models that failed",
          description: "By gRPC code, whatever the model's service called it.",
          unit: "ops",
          queries: [
            {
              expr: sumBy(
                ["gen_ai_request_model", "error_type"],
                rate("gen_ai_client_operation_duration_seconds_count", 'error_type!=""'),
              ),
              legend: "{{gen_ai_request_model}} {{error_type}}",
            },
          ],
        },
        {
          title: "Retries and fallbacks",
          description: "Requests sent again, and those that another model had to answer.",
          unit: "ops",
          queries: [
            {
              expr: sumBy(["model", "reason"], rate("headwater_generation_model_retries_total")),
              legend: "{{model}} again: {{reason}}",
            },
            {
              expr: sumBy(["model", "fallback"], rate("headwater_generation_model_fallbacks_total")),
              legend: "{{model}} → {{fallback}}",
            },
          ],
        },
      ],
    },
    {
      title: "Agents",
      panels: [
        {
          title: "Tool calls",
          description: "By the model that made them; failed ones were told to it in words.",
          unit: "ops",
          queries: [
            {
              expr: sumBy(["model", "outcome"], rate("headwater_generation_tool_calls_total")),
              legend: "{{model}} {{outcome}}",
            },
          ],
        },
        {
          title: "Time of a tool call",
          description: "p50 and p95, the wait for an approval left out.",
          unit: "s",
          queries: quantiles("headwater_generation_tool_call_duration_seconds", [], [0.5, 0.95]),
        },
        {
          title: "Made without something",
          description:
            "Turns that went on without memory, a rewritten question or a summary; answers whose sentences were not ranked.",
          unit: "ops",
          queries: [
            {
              expr: sumBy(["what"], rate("headwater_generation_turns_degraded_total")),
              legend: "without {{what}}",
            },
            { expr: sumBy([], rate("headwater_generation_unranked_total")), legend: "not ranked" },
          ],
        },
      ],
    },
    {
      title: "Memory of people",
      panels: [
        {
          title: "Statements weighed",
          description: "By what was decided.",
          unit: "ops",
          queries: [
            { expr: sumBy(["action"], rate("headwater_memory_decisions_total")), legend: "{{action}}" },
          ],
        },
        {
          title: "Recalled and forgotten",
          description: "Memories given to turns, and those deleted.",
          unit: "ops",
          queries: [
            { expr: sumBy([], rate("headwater_memory_recalled_total")), legend: "recalled" },
            {
              expr: sumBy(["why"], rate("headwater_memory_forgotten_total")),
              legend: "forgotten: {{why}}",
            },
          ],
        },
        {
          title: "Reading all memories of an owner",
          description: "p95, from the record store.",
          unit: "s",
          queries: quantiles("headwater_memory_scan_seconds", [], [0.95]),
        },
      ],
    },
  ],
};
