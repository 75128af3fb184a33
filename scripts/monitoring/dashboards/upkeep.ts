import type { Dashboard } from "../dashboard.ts";
import { metric, quantiles, rate, share, sumBy } from "../promql.ts";

export const upkeep: Dashboard = {
  name: "upkeep",
  title: "Stores, jobs and pods",
  description:
    "What the services stand on: servers outside and their circuit breakers, work in the background, replicas, certificates, disks, backups.",
  rows: [
    {
      title: "Servers outside",
      panels: [
        {
          title: "Calls",
          description: "By server, retries within a call not counted.",
          unit: "ops",
          queries: [
            {
              expr: sumBy(["dependency"], rate("headwater_dependency_calls_total")),
              legend: "{{dependency}}",
            },
          ],
        },
        {
          title: "Calls that failed",
          description: "failed: after all retries; refused: not tried, the circuit breaker was open.",
          unit: "percentunit",
          limit: 0.01,
          queries: [
            {
              expr: share(
                sumBy(["dependency"], rate("headwater_dependency_calls_total", 'outcome!="ok"')),
                sumBy(["dependency"], rate("headwater_dependency_calls_total")),
              ),
              legend: "{{dependency}}",
            },
          ],
        },
        {
          title: "One attempt",
          description:
            "p95, as the services see it: a server that is slow here may be fast by its own clock.",
          unit: "s",
          queries: quantiles("headwater_dependency_call_duration_seconds", ["dependency"], [0.95]),
        },
        {
          title: "Circuit breakers that are open",
          description: "Processes that have given up on a server for the moment, by service.",
          unit: "short",
          limit: 1,
          queries: [
            {
              expr: sumBy(["dependency", "service"], metric("headwater_dependency_open")),
              legend: "{{service}} → {{dependency}}",
            },
          ],
        },
        {
          title: "Retries",
          description: "Attempts after the first; at most a tenth of the calls, over time.",
          unit: "ops",
          queries: [
            {
              expr: sumBy(["dependency"], rate("headwater_dependency_retries_total")),
              legend: "{{dependency}}",
            },
          ],
        },
      ],
    },
    {
      title: "Jobs",
      panels: [
        {
          title: "Jobs that have not ended",
          description: "queued and active, by kind. Every generation tells of all of them.",
          unit: "short",
          queries: [
            {
              expr: `max by (kind, state) (${metric("headwater_jobs_open")})`,
              legend: "{{kind}} {{state}}",
            },
          ],
        },
        {
          title: "Wait of the first in the queue",
          description: "For how long it could have been started. A kind runs a few at once.",
          unit: "s",
          limit: 900,
          queries: [
            {
              expr: `max by (kind) (${metric("headwater_jobs_oldest_queued_seconds")})`,
              legend: "{{kind}}",
            },
          ],
        },
        {
          title: "Jobs that ended",
          description: "An hour, by kind and state. failed: for good, after all attempts.",
          unit: "short",
          queries: [
            {
              expr: `sum by (kind, state) (increase(${metric("headwater_jobs_ended_total")}[1h]))`,
              legend: "{{kind}} {{state}}",
            },
          ],
        },
        {
          title: "One attempt of a job",
          description: "p95 by kind.",
          unit: "s",
          queries: quantiles("headwater_job_duration_seconds", ["kind"], [0.95]),
        },
      ],
    },
    {
      title: "Pods, certificates, disks (kube-state-metrics, kubelet, KEDA)",
      panels: [
        {
          title: "Replicas",
          description: "As the autoscalers have them.",
          unit: "short",
          queries: [
            {
              expr: metric(
                "kube_horizontalpodautoscaler_status_current_replicas",
                'horizontalpodautoscaler=~".*headwater.*"',
              ),
              legend: "{{horizontalpodautoscaler}}",
            },
          ],
        },
        {
          title: "Replicas that the work needs",
          description:
            "By the scaler's reckoning, without the bounds of the ScaledObjects: above them, load waits or is refused.",
          unit: "short",
          queries: [
            {
              expr: `max by (workload) (${metric("headwater_scaler_replicas")})`,
              legend: "{{workload}}",
            },
          ],
        },
        {
          title: "Pods that the scaler follows",
          description: "lost and unheard ones hold their replicas until they speak or are gone.",
          unit: "short",
          queries: [
            {
              expr: `max by (workload, state) (${metric("headwater_scaler_pods")})`,
              legend: "{{workload}} {{state}}",
            },
          ],
        },
        {
          title: "Restarts",
          description: "Of containers, an hour.",
          unit: "short",
          queries: [
            {
              expr: `sum by (container) (increase(${metric("kube_pod_container_status_restarts_total", 'pod=~".*headwater.*"')}[1h]))`,
              legend: "{{container}}",
            },
          ],
        },
        {
          title: "Errors of KEDA's triggers",
          description: "KEDA could not ask a scaler: replicas stay as they are, or fall back.",
          unit: "ops",
          queries: [
            {
              expr: `sum by (scaledObject, scaler) (rate(keda_scaler_detail_errors_total{exported_namespace=~"$namespace"}[$__rate_interval]))`,
              legend: "{{scaledObject}} {{scaler}}",
            },
          ],
        },
        {
          title: "Until certificates end",
          description: "The shortest of all pods. Renewed ones are taken up without a restart.",
          unit: "s",
          queries: [
            {
              expr: `min by (service, certificate) (${metric("headwater_tls_certificate_expiry_timestamp_seconds")}) - time()`,
              legend: "{{service}} {{certificate}}",
            },
          ],
        },
        {
          title: "Connections refused for their certificate",
          description: "By side and reason.",
          unit: "ops",
          queries: [
            {
              expr: sumBy(["service", "side", "reason"], rate("headwater_tls_refused_total")),
              legend: "{{service}} {{side}} {{reason}}",
            },
          ],
        },
        {
          title: "Free on volumes",
          description: "Share, of the volumes of stores in the cluster.",
          unit: "percentunit",
          queries: [
            {
              expr: `${metric("kubelet_volume_stats_available_bytes", 'persistentvolumeclaim=~".*headwater.*"')} / ${metric("kubelet_volume_stats_capacity_bytes", 'persistentvolumeclaim=~".*headwater.*"')}`,
              legend: "{{persistentvolumeclaim}}",
            },
          ],
        },
        {
          title: "Age of the last backup",
          description: "Since the last one succeeded, as ingest knows; empty where there never was one.",
          unit: "s",
          limit: 129600,
          queries: [
            {
              expr: `time() - max(max_over_time(${metric("headwater_backup_last_success_timestamp_seconds")}[2d]) > 0)`,
              legend: "last backup",
            },
          ],
        },
      ],
    },
  ],
};
