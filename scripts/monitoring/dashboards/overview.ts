import type { Dashboard } from "../dashboard.ts";
import { metric, quantiles, rate, share, sumBy } from "../promql.ts";

/** Refused for want of room, which is no fault, or because the caller erred or left. */
const callersFault =
  'code!~"CANCELLED|INVALID_ARGUMENT|NOT_FOUND|ALREADY_EXISTS|PERMISSION_DENIED|UNAUTHENTICATED|FAILED_PRECONDITION|OUT_OF_RANGE|RESOURCE_EXHAUSTED"';

export const overview: Dashboard = {
  name: "overview",
  title: "Overview",
  description: "Whether people are served, and where to look when they are not. Begin here.",
  rows: [
    {
      title: "Objectives",
      panels: [
        {
          title: "Queries that failed",
          description:
            "Share of queries that ended with an error of ours, by service, over the last hour. The objective is 0.1 % over 30 days.",
          unit: "percentunit",
          shape: "number",
          width: 6,
          limit: 0.001,
          queries: [{ expr: metric("headwater:query_errors:ratio_rate1h"), legend: "{{service}}" }],
        },
        {
          title: "Searches slower than 1 s",
          description: "Share over the last hour. The objective is 5 % over 30 days.",
          unit: "percentunit",
          shape: "number",
          width: 6,
          limit: 0.05,
          queries: [{ expr: metric("headwater:search_slow:ratio_rate1h"), legend: "slow" }],
        },
        {
          title: "Answers whose first text took longer than 5 s",
          description: "Share over the last hour. The objective is 5 % over 30 days.",
          unit: "percentunit",
          shape: "number",
          width: 6,
          limit: 0.05,
          queries: [{ expr: metric("headwater:first_token_slow:ratio_rate1h"), legend: "slow" }],
        },
        {
          title: "Changes that took longer than 5 min to be found",
          description: "Share of documents over the last hour. The objective is 1 % over 30 days.",
          unit: "percentunit",
          shape: "number",
          width: 6,
          limit: 0.01,
          queries: [{ expr: metric("headwater:freshness_slow:ratio_rate1h"), legend: "late" }],
        },
      ],
    },
    {
      title: "Traffic",
      panels: [
        {
          title: "Queries",
          description:
            "As they reach each service: one question is one query of gateway, generation and search.",
          unit: "reqps",
          queries: [{ expr: sumBy(["service"], rate("rag_queries_total")), legend: "{{service}}" }],
        },
        {
          title: "Under way",
          description: "Queries that are being answered now, waiting ones included.",
          unit: "short",
          queries: [{ expr: sumBy(["service"], metric("rag_active_requests")), legend: "{{service}}" }],
        },
        {
          title: "Whole queries",
          description: "From request to the last message. A long answer takes as long as its model writes.",
          unit: "s",
          queries: quantiles("rag_query_duration_seconds", ["service"], [0.95]),
        },
        {
          title: "Errors by code",
          description: "Our faults and the callers'. RESOURCE_EXHAUSTED is a refusal for want of room.",
          unit: "reqps",
          stacked: true,
          queries: [
            { expr: sumBy(["service", "code"], rate("rag_errors_total")), legend: "{{service}} {{code}}" },
          ],
        },
        {
          title: "Share of our faults",
          description: "Errors that the caller could not have avoided, and refusals left out.",
          unit: "percentunit",
          limit: 0.001,
          queries: [
            {
              expr: share(
                sumBy(["service"], rate("rag_errors_total", callersFault)),
                sumBy(["service"], rate("rag_queries_total")),
              ),
              legend: "{{service}}",
            },
          ],
        },
        {
          title: "gRPC calls between services",
          description: "All methods that end with another status than OK.",
          unit: "reqps",
          queries: [
            {
              expr: sumBy(["method", "code"], rate("headwater_rpc_calls_total", 'code!="OK"')),
              legend: "{{method}} {{code}}",
            },
          ],
        },
      ],
    },
    {
      title: "What is behind",
      panels: [
        {
          title: "Services that are ready",
          description:
            "As the gateways see them; below 1 a gateway cannot reach one, or it says why it is not ready.",
          unit: "none",
          queries: [
            {
              expr: `min by (upstream) (${metric("headwater_gateway_service_ready")})`,
              legend: "{{upstream}}",
            },
          ],
        },
        {
          title: "Circuit breakers that are open",
          description:
            "Processes that have given up on a server for the moment: calls fail without being tried.",
          unit: "short",
          limit: 1,
          queries: [
            {
              expr: sumBy(["dependency"], metric("headwater_dependency_open")),
              legend: "{{dependency}}",
            },
          ],
        },
        {
          title: "Events not yet indexed",
          description: "Lag of the document log, all partitions together.",
          unit: "short",
          queries: [{ expr: metric("headwater:ingest_lag_records:sum"), legend: "events" }],
        },
      ],
    },
    {
      title: "Processes",
      panels: [
        {
          title: "Processor",
          description: "Cores in use, by service.",
          unit: "short",
          queries: [{ expr: sumBy(["service"], rate("process_cpu_seconds_total")), legend: "{{service}}" }],
        },
        {
          title: "Memory",
          description: "Resident, of the largest process of each service.",
          unit: "bytes",
          queries: [
            {
              expr: `max by (service) (${metric("process_resident_memory_bytes")})`,
              legend: "{{service}}",
            },
          ],
        },
        {
          title: "Event loop",
          description:
            "Delay of the slowest process (p99): above 0.1 s a process has more to do than one thread can.",
          unit: "s",
          limit: 0.1,
          queries: [
            {
              expr: `max by (service) (${metric("nodejs_eventloop_lag_p99_seconds")})`,
              legend: "{{service}}",
            },
          ],
        },
      ],
    },
  ],
};
