import type { Dashboard } from "../dashboard.ts";
import { metric, quantiles, rate, sumBy } from "../promql.ts";

const ofGateway = 'service="gateway"';

export const gateway: Dashboard = {
  name: "gateway",
  title: "Gateway",
  description: "What comes from outside: requests, connections, refusals.",
  rows: [
    {
      title: "Requests",
      panels: [
        {
          title: "Requests by route",
          description: "HTTP requests that ended; the probes and /metrics are left out.",
          unit: "reqps",
          stacked: true,
          width: 12,
          queries: [
            {
              expr: `topk(12, ${sumBy(["route"], rate("headwater_gateway_requests_total", 'route!~"/health.*|/metrics"'))})`,
              legend: "{{route}}",
            },
          ],
        },
        {
          title: "Requests by status",
          description: "left: the caller was gone before the end.",
          unit: "reqps",
          stacked: true,
          width: 12,
          queries: [
            {
              expr: sumBy(
                ["status"],
                rate("headwater_gateway_requests_total", 'route!~"/health.*|/metrics"'),
              ),
              legend: "{{status}}",
            },
          ],
        },
        {
          title: "Time by route",
          description: "p95, from the first byte to the last: that of a stream is as long as the stream.",
          unit: "s",
          width: 12,
          queries: [
            {
              expr: `topk(12, histogram_quantile(0.95, ${sumBy(["le", "route"], rate("headwater_gateway_request_duration_seconds_bucket", 'route!~"/health.*|/metrics"'))}))`,
              legend: "{{route}}",
            },
          ],
        },
        {
          title: "Queries by the way they came",
          description: "Searches and answers over each protocol.",
          unit: "reqps",
          stacked: true,
          width: 12,
          queries: [{ expr: sumBy(["kind"], rate("rag_queries_total", ofGateway)), legend: "{{kind}}" }],
        },
      ],
    },
    {
      title: "Room",
      panels: [
        {
          title: "Connections",
          description:
            "Open, of HTTP/1.1 and HTTP/2, by process: what gateways are scaled on. One that has all of them is not balanced.",
          unit: "short",
          queries: [{ expr: metric("headwater_gateway_connections"), legend: "{{pod}}" }],
        },
        {
          title: "Requests and streams under way",
          description: "Over all callers; beyond HEADWATER_GATEWAY_MAX_ACTIVE of a process they are refused.",
          unit: "short",
          queries: [{ expr: metric("headwater_gateway_active"), legend: "{{pod}}" }],
        },
        {
          title: "Refused",
          description: "too many: for want of room (503); rate limit: a caller that sends too much (429).",
          unit: "reqps",
          queries: [
            { expr: sumBy([], rate("headwater_gateway_refused_total")), legend: "too many" },
            {
              expr: sumBy([], rate("headwater_gateway_requests_total", 'status="429"')),
              legend: "rate limit",
            },
          ],
        },
        {
          title: "Streams under way",
          description: "Searches and answers that are being sent, by the way they came.",
          unit: "short",
          queries: [{ expr: sumBy(["kind"], metric("rag_active_requests", ofGateway)), legend: "{{kind}}" }],
        },
        {
          title: "Whole queries",
          description: "p95 by the way they came.",
          unit: "s",
          queries: quantiles("rag_query_duration_seconds", ["kind"], [0.95], ofGateway),
        },
        {
          title: "Services that are ready",
          description: "As each gateway sees them: 1 where all do.",
          unit: "none",
          queries: [
            {
              expr: `min by (upstream) (${metric("headwater_gateway_service_ready")})`,
              legend: "{{upstream}}",
            },
          ],
        },
      ],
    },
  ],
};
