{{/* Settings: the ones that are the same everywhere are a ConfigMap, the others stand with the component. */}}

{{- define "headwater.settingsName" -}}
{{- printf "%s-settings" (include "headwater.fullname" .) -}}
{{- end }}

{{/* Where all secrets are mounted; the settings that end in _FILE name files below it. */}}
{{- define "headwater.secretsDir" -}}/run/secrets/headwater{{- end }}

{{/* Every setting that is the same for all components, as YAML. Empty ones are left out. */}}
{{- define "headwater.settings" -}}
{{- $root := . -}}
{{- $settings := dict
  "HEADWATER_LOG_LEVEL" .Values.logLevel
  "HEADWATER_METRICS_ADDRESS" "0.0.0.0:9464"
  "HEADWATER_DATA_DIR" "/tmp/headwater"
  "HEADWATER_OTLP_ENDPOINT" .Values.monitoring.otlpEndpoint
  "HEADWATER_INGEST_LISTEN" "0.0.0.0:7001"
  "HEADWATER_EMBEDDING_LISTEN" "0.0.0.0:7002"
  "HEADWATER_SEARCH_LISTEN" "0.0.0.0:7003"
  "HEADWATER_GENERATION_LISTEN" "0.0.0.0:7004"
  "HEADWATER_GATEWAY_LISTEN" "0.0.0.0:8080"
  "HEADWATER_INGEST_ADDRESS" (include "headwater.address" (dict "root" $root "component" "ingest"))
  "HEADWATER_EMBEDDING_ADDRESS" (include "headwater.address" (dict "root" $root "component" "embedding-worker"))
  "HEADWATER_SEARCH_ADDRESS" (include "headwater.address" (dict "root" $root "component" "search"))
  "HEADWATER_GENERATION_ADDRESS" (include "headwater.address" (dict "root" $root "component" "generation")) -}}
{{- if eq .Values.autoscaling.mode "keda" -}}
{{- $_ := set $settings "HEADWATER_SCALER_LISTEN" "0.0.0.0:7005" -}}
{{- $_ := set $settings "HEADWATER_GATEWAY_LOAD_LISTEN" "0.0.0.0:7006" -}}
{{- $_ := set $settings "HEADWATER_GATEWAY_LOAD_ADDRESS" (printf "%s:7006" (include "headwater.wholeName" (list . (include "headwater.gatewayLoadHost" .)))) -}}
{{- end -}}
{{- $settings = merge $settings (include "headwater.storeSettings" . | fromYaml) -}}
{{- /* Not merged: merging takes false for nothing. */}}
{{- range $name, $value := .Values.settings }}{{ $_ := set $settings $name $value }}{{ end -}}
{{- range $name, $value := $settings }}
{{- if ne (toString $value) "" }}
{{ $name }}: {{ $value | toString | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* The settings of all stores, as YAML: addresses, users, and the files of their secrets. */}}
{{- define "headwater.storeSettings" -}}
{{- $root := . -}}
{{- $v := .Values -}}
{{- $settings := dict
  "HEADWATER_KAFKA_BROKERS" (include "headwater.storeAddress" (dict "root" $root "store" "kafka"))
  "HEADWATER_KAFKA_TOPIC" $v.kafka.topic
  "HEADWATER_INGEST_GROUP" $v.kafka.consumerGroup
  "HEADWATER_INGEST_PARTITIONS" $v.kafka.partitions
  "HEADWATER_KAFKA_CREATE_TOPICS" $v.kafka.createTopics
  "HEADWATER_KAFKA_REPLICATION_FACTOR" (ternary 1 $v.kafka.replicationFactor $v.kafka.inCluster.enabled)
  "HEADWATER_KAFKA_TLS" $v.kafka.tls
  "HEADWATER_KAFKA_USERNAME" $v.kafka.username
  "HEADWATER_KAFKA_SASL_MECHANISM" (ternary $v.kafka.saslMechanism "" (not (empty $v.kafka.username)))
  "HEADWATER_ELASTICSEARCH_URL" (include "headwater.storeAddress" (dict "root" $root "store" "elasticsearch"))
  "HEADWATER_ELASTICSEARCH_USERNAME" $v.elasticsearch.username
  "HEADWATER_QDRANT_URL" (include "headwater.storeAddress" (dict "root" $root "store" "qdrant"))
  "HEADWATER_REDIS_URL" (include "headwater.storeAddress" (dict "root" $root "store" "redis"))
  "HEADWATER_POSTGRES_URL" (include "headwater.storeAddress" (dict "root" $root "store" "postgresql"))
  "HEADWATER_POSTGRES_TLS" $v.postgresql.tls
  "HEADWATER_S3_ENDPOINT" (include "headwater.storeAddress" (dict "root" $root "store" "s3"))
  "HEADWATER_S3_PUBLIC_ENDPOINT" $v.s3.publicEndpoint
  "HEADWATER_S3_BUCKET" (ternary (default "headwater" $v.s3.bucket) $v.s3.bucket $v.s3.inCluster.enabled)
  "HEADWATER_S3_REGION" $v.s3.region
  "HEADWATER_S3_CREATE_BUCKET" (or $v.s3.createBucket $v.s3.inCluster.enabled)
  "HEADWATER_S3_ACCESS_KEY_ID" (ternary "headwater" $v.s3.accessKeyId $v.s3.inCluster.enabled) -}}
{{- $files := dict
  "kafka" (dict "password" "HEADWATER_KAFKA_PASSWORD_FILE" "ca" "HEADWATER_KAFKA_CA_FILE" "certificate" "HEADWATER_KAFKA_CERTIFICATE_FILE" "certificate-key" "HEADWATER_KAFKA_CERTIFICATE_KEY_FILE")
  "elasticsearch" (dict "password" "HEADWATER_ELASTICSEARCH_PASSWORD_FILE" "api-key" "HEADWATER_ELASTICSEARCH_API_KEY_FILE" "ca" "HEADWATER_ELASTICSEARCH_CA_FILE")
  "qdrant" (dict "api-key" "HEADWATER_QDRANT_API_KEY_FILE" "ca" "HEADWATER_QDRANT_CA_FILE")
  "redis" (dict "password" "HEADWATER_REDIS_PASSWORD_FILE" "ca" "HEADWATER_REDIS_CA_FILE")
  "postgresql" (dict "password" "HEADWATER_POSTGRES_PASSWORD_FILE" "ca" "HEADWATER_POSTGRES_CA_FILE")
  "s3" (dict "secret-key" "HEADWATER_S3_SECRET_KEY_FILE" "ca" "HEADWATER_S3_CA_FILE") -}}
{{- range $store, $names := $files -}}
{{- range $file, $key := include "headwater.storeFiles" (dict "root" $root "store" $store) | fromJson -}}
{{- $_ := set $settings (get $names $file) (printf "%s/%s/%s" (include "headwater.secretsDir" $root) $store $file) -}}
{{- end -}}
{{- end -}}
{{- $settings | toYaml -}}
{{- end }}

{{/* What a component alone is told, as YAML; the values' own `settings` of the component win. */}}
{{- define "headwater.componentSettings" -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
{{- $settings := dict "HEADWATER_SHUTDOWN_GRACE_MS" (mul 1000 (int $own.drain.graceSeconds)) -}}
{{- $_ := include "headwater.tlsSettings" . | fromYaml | merge $settings -}}
{{- if eq .component "gateway" -}}
{{- $_ := set $settings "HEADWATER_GATEWAY_API_KEYS_FILE" (printf "%s/api-keys/api-keys" (include "headwater.secretsDir" .root)) -}}
{{- if and (eq .root.Values.autoscaling.mode "keda") (eq (int .root.Values.ingest.autoscaling.minReplicas) 0) -}}
{{- $_ := set $settings "HEADWATER_GATEWAY_READY_WITHOUT" "ingest" -}}
{{- end -}}
{{- else if eq .component "embedding-worker" -}}
{{- if $own.model.dir }}{{ $_ := set $settings "HEADWATER_EMBEDDING_MODEL_DIR" $own.model.dir }}{{ end -}}
{{- if $own.model.rerankerDir }}{{ $_ := set $settings "HEADWATER_EMBEDDING_RERANKER_DIR" $own.model.rerankerDir }}{{ end -}}
{{- else if eq .component "generation" -}}
{{- $_ := include "headwater.generationSettings" .root | fromYaml | merge $settings -}}
{{- end -}}
{{- range $name, $value := $own.settings }}{{ $_ := set $settings $name $value }}{{ end -}}
{{- $settings | toYaml -}}
{{- end }}

{{/* Language models and tools of generation. */}}
{{- define "headwater.generationSettings" -}}
{{- $g := .Values.generation -}}
{{- $settings := dict -}}
{{- if $g.model }}{{ $_ := set $settings "HEADWATER_GENERATION_MODEL" $g.model }}{{ end -}}
{{- if $g.openai.baseUrl -}}
{{- $_ := set $settings "HEADWATER_OPENAI_BASE_URL" $g.openai.baseUrl -}}
{{- $_ := set $settings "HEADWATER_OPENAI_MODEL" $g.openai.model -}}
{{- if $g.openai.existingSecret -}}
{{- $_ := set $settings "HEADWATER_OPENAI_API_KEY_FILE" (printf "%s/openai/api-key" (include "headwater.secretsDir" .)) -}}
{{- end -}}
{{- end -}}
{{- if $g.models }}{{ $_ := set $settings "HEADWATER_MODELS_FILE" "/etc/headwater/models.yaml" }}{{ end -}}
{{- if $g.tools }}{{ $_ := set $settings "HEADWATER_TOOLS_FILE" "/etc/headwater/tools.yaml" }}{{ end -}}
{{- $settings | toYaml -}}
{{- end }}

{{/* A component's env: its own settings, then what the operator adds. */}}
{{- define "headwater.env" -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
{{- range $name, $value := include "headwater.componentSettings" . | fromYaml }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- with $own.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
