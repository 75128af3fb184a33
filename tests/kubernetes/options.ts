import type { Values } from "./helm.ts";

/** Addresses and secrets of servers outside, all settings of them given. */
export const servers = {
  "kafka.brokers": "kafka-0.example.com:9093,kafka-1.example.com:9093",
  "kafka.tls": true,
  "kafka.username": "headwater",
  "kafka.existingSecret": "kafka",
  "kafka.secretKeys": {
    password: "password",
    ca: "ca.crt",
    certificate: "tls.crt",
    certificateKey: "tls.key",
  },
  "kafka.network.cidrs": ["10.20.0.0/24"],
  "elasticsearch.url": "https://a.search.example.com:9200,https://b.search.example.com:9200",
  "elasticsearch.username": "headwater",
  "elasticsearch.existingSecret": "elasticsearch",
  "elasticsearch.secretKeys": { password: "password", apiKey: "", ca: "ca.crt" },
  "elasticsearch.network.cidrs": ["10.20.1.0/24"],
  "qdrant.url": "https://qdrant.vectors.svc:6333",
  "qdrant.existingSecret": "qdrant",
  "qdrant.secretKeys": { apiKey: "api-key", ca: "ca.crt" },
  "redis.url": "rediss://headwater@10.20.3.4:6380/0",
  "redis.existingSecret": "redis",
  "postgresql.url": "postgres://headwater@postgres:5432/headwater",
  "postgresql.tls": true,
  "postgresql.existingSecret": "postgresql",
  "postgresql.secretKeys": { password: "password", ca: "ca.crt" },
  "s3.bucket": "headwater",
  "s3.network.cidrs": ["10.20.5.0/24"],
  "s3.accessKeyId": "headwater",
  "s3.existingSecret": "s3",
  "s3.secretKeys": { secretKey: "secret-key", ca: "ca.crt" },
};

const every = ["ingest", "embeddingWorker", "search", "generation", "gateway", "scaler", "keda"];

/** Each profile as it is meant to be used. */
export const profiles: Readonly<Record<string, Values>> = {
  try: { profiles: ["try"] },
  production: { profiles: ["production"], set: servers },
  "airgapped production": { profiles: ["production", "airgapped"], set: servers },
  "airgapped try": { profiles: ["try", "airgapped"] },
};

const choices: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  "tls of existing secrets": {
    "tls.mode": "existingSecrets",
    "tls.existingSecrets": Object.fromEntries(
      every.map((name) => [name, `${name.toLowerCase()}-certificate`]),
    ),
    "tls.identities": { gateway: "spiffe://example.com/gateway" },
  },
  "tls generated": { "tls.mode": "generated" },
  "tls of an issuer": {
    "tls.mode": "certManager",
    "tls.certManager.issuerRef": { name: "internal", kind: "ClusterIssuer", group: "cert-manager.io" },
  },
  "no tls": { "tls.mode": "none" },
  "plain HPA": { "autoscaling.mode": "hpa" },
  "no autoscaler": { "autoscaling.mode": "none" },
  "to zero": { "autoscaling.mode": "keda", "ingest.autoscaling.minReplicas": 0 },
  "no policies": { "networkPolicy.enabled": false },
  "no budgets": { "podDisruptionBudget.enabled": false },
  ingress: {
    "ingress.enabled": true,
    "ingress.className": "nginx",
    "ingress.hosts": ["rag.example.com"],
    "ingress.tls": [{ hosts: ["rag.example.com"], secretName: "rag" }],
    "ingress.grpc": {
      hosts: ["grpc.example.com"],
      annotations: { "nginx.ingress.kubernetes.io/backend-protocol": "GRPC" },
      tls: [],
    },
  },
  "Gateway API": {
    "gatewayApi.enabled": true,
    "gatewayApi.parentRefs": [{ name: "public", namespace: "gateways" }],
    "gatewayApi.hostnames": ["rag.example.com"],
    "gatewayApi.grpc": { enabled: true, hostnames: ["grpc.example.com"] },
  },
  "language models": {
    "generation.openai": {
      baseUrl: "http://vllm.models.svc:8000/v1",
      model: "llama",
      existingSecret: "vllm",
      secretKey: "token",
    },
    "generation.models": {
      default: "claude",
      models: [
        {
          name: "claude",
          provider: "anthropic",
          model: "claude-sonnet-4-5",
          api_key_file: "/run/secrets/headwater/claude",
        },
      ],
    },
    "generation.tools": { tools: [] },
    "generation.modelSecret": "language-models",
    "generation.network.cidrs": ["0.0.0.0/0"],
  },
  "another model": {
    "embeddingWorker.model": {
      dir: "/models/e5",
      rerankerDir: "/models/reranker",
      volume: { persistentVolumeClaim: { claimName: "models", readOnly: true } },
    },
  },
  "backups in a bucket": {
    "backup.enabled": true,
    "backup.destination": "s3://backups/headwater/",
  },
  "backups on another server": {
    "backup.enabled": true,
    "backup.destination": "s3://backups/",
    "backup.existingSecret": "backups",
    "backup.secretKeys": { secretKey: "secret-key", ca: "ca.crt" },
    "backup.s3.endpoint": "https://s3.elsewhere.example.com",
    "backup.s3.accessKeyId": "backups",
    "backup.s3.network.cidrs": ["10.30.0.0/24"],
  },
  "backups on a volume": {
    "backup.enabled": true,
    "backup.destination": "/backups",
    "backup.volume": { persistentVolumeClaim: { claimName: "backups" } },
  },
  "the operator's command": {
    "cli.enabled": true,
    "tls.mode": "generated",
    "backup.enabled": true,
    "backup.destination": "/backups",
    "backup.existingSecret": "backups",
    "backup.volume": { persistentVolumeClaim: { claimName: "backups" } },
  },
  placement: {
    "placement.nodeSelector": { "kubernetes.io/arch": "amd64" },
    "placement.tolerations": [{ key: "dedicated", operator: "Exists" }],
    "placement.priorityClassName": "high",
    "search.nodeSelector": { pool: "search" },
    "search.affinity": { podAntiAffinity: {} },
  },
  monitoring: {
    "monitoring.podMonitor": { enabled: true, labels: { release: "prometheus" } },
    "monitoring.prometheusRule": {
      enabled: true,
      runbookUrl: "https://runbooks.example.com/headwater/",
      disabledAlerts: ["HeadwaterZeroHits"],
    },
    "monitoring.dashboards": { enabled: true, annotations: { grafana_folder: "Headwater" } },
  },
  "a ServiceMonitor": { "monitoring.serviceMonitor": { enabled: true, interval: "30s" } },
  "hooks of operators": {
    commonLabels: { team: "search" },
    "image.registry": "registry.example.com/team",
    "image.pullSecrets": ["registry"],
    "search.image.digest": `sha256:${"a".repeat(64)}`,
    "search.settings": { HEADWATER_SEARCH_CANDIDATES: 200 },
    "search.extraEnv": [{ name: "NODE_OPTIONS", value: "--max-old-space-size=700" }],
    "search.extraVolumes": [{ name: "more", emptyDir: { sizeLimit: "1Mi" } }],
    "search.extraVolumeMounts": [{ name: "more", mountPath: "/more" }],
    "search.podAnnotations": { "example.com/a": "b" },
    "search.podLabels": { tier: "back" },
    "search.serviceAccount": { name: "", annotations: { "example.com/role": "search" } },
    "gateway.serviceAccount.name": "theirs",
    "gateway.service.type": "LoadBalancer",
    "gateway.apiKeys.existingSecret": "keys",
    "monitoring.otlpEndpoint": "http://collector.monitoring.svc:4317",
    settings: { HEADWATER_CHUNK_TOKENS: 200 },
  },
};

/** Every choice on top of the two profiles that are whole by themselves. */
export const matrix: Readonly<Record<string, Values>> = {
  ...profiles,
  ...Object.fromEntries(
    Object.entries(choices).flatMap(([name, set]) => [
      [`try with ${name}`, { profiles: ["try"], set }],
      [`production with ${name}`, { profiles: ["production"], set: { ...servers, ...set } }],
    ]),
  ),
  "another release": { profiles: ["try"], release: "docs", namespace: "elsewhere" },
};
