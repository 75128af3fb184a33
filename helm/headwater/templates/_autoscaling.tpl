{{/* Who sets a component's number of pods: KEDA, a plain HPA, or nobody. */}}

{{- define "headwater.autoscaler" -}}
{{- $mode := .root.Values.autoscaling.mode -}}
{{- if eq $mode "keda" -}}
{{- include "headwater.scaledObject" . -}}
{{- else if eq $mode "hpa" -}}
{{- include "headwater.horizontalPodAutoscaler" . -}}
{{- end -}}
{{- end }}

{{- define "headwater.scaledObject" -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
{{- $scaling := .root.Values.autoscaling -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "headwater.componentName" . }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    name: {{ include "headwater.componentName" . }}
  pollingInterval: {{ $own.autoscaling.pollingInterval | default $scaling.pollingInterval }}
  cooldownPeriod: {{ $scaling.cooldownPeriod }}
  minReplicaCount: {{ $own.autoscaling.minReplicas }}
  maxReplicaCount: {{ $own.autoscaling.maxReplicas }}
  # While metrics fail: not fewer than there are. KEDA honours it where it reaches the scaler or Kafka and the values fail.
  fallback:
    failureThreshold: 3
    replicas: {{ max 1 (int $own.autoscaling.minReplicas) }}
    behavior: currentReplicasIfHigher
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        {{- toYaml $scaling.behavior | nindent 8 }}
  triggers:
    {{- if eq .component "ingest" }}
    {{- include "headwater.kafkaTrigger" .root | nindent 4 }}
    {{- else }}
    {{- include "headwater.loadTrigger" . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* Lag of the topic. A partition has one reader at most, so pods beyond those with lag would idle. */}}
{{- define "headwater.kafkaTrigger" -}}
{{- $kafka := .Values.kafka -}}
- type: kafka
  metadata:
    bootstrapServers: {{ include "headwater.storeAddress" (dict "root" . "store" "kafka") | quote }}
    topic: {{ $kafka.topic | quote }}
    consumerGroup: {{ $kafka.consumerGroup | quote }}
    # Of each pod; what waits is divided by it.
    lagThreshold: {{ .Values.ingest.autoscaling.lagThreshold | quote }}
    # A group that has read nothing yet has all of the log before it.
    offsetResetPolicy: earliest
    allowIdleConsumers: "false"
    limitToPartitionsWithLag: "true"
    {{- if $kafka.tls }}
    tls: enable
    {{- end }}
    {{- if $kafka.username }}
    sasl: {{ get (dict "plain" "plaintext" "scram-sha-256" "scram_sha256" "scram-sha-512" "scram_sha512") $kafka.saslMechanism }}
    {{- end }}
  {{- if include "headwater.kafkaAuthentication" . | fromYamlArray }}
  authenticationRef:
    name: {{ include "headwater.componentName" (dict "root" . "component" "ingest") }}
  {{- end }}
{{- end }}

{{/* What KEDA reads from kafka's secret, as secretTargetRef wants it. */}}
{{- define "headwater.kafkaAuthentication" -}}
{{- $secret := include "headwater.storeSecret" (dict "root" . "store" "kafka") -}}
{{- $files := include "headwater.storeFiles" (dict "root" . "store" "kafka") | fromJson -}}
{{- if not .Values.kafka.username }}{{ $files = omit $files "password" }}{{ end -}}
{{- if not .Values.kafka.tls }}{{ $files = pick $files "password" }}{{ end -}}
{{- range $file, $key := $files }}
- {parameter: {{ get (dict "password" "password" "ca" "ca" "certificate" "cert" "certificate-key" "key") $file }}, name: {{ $secret }}, key: {{ $key | quote }}}
{{- end }}
{{- end }}

{{/* What our own scaler says; docs/autoscaling.md tells what the numbers mean. */}}
{{- define "headwater.loadTrigger" -}}
{{- $own := (include "headwater.componentValues" . | fromYaml).autoscaling -}}
- type: external-push
  metadata:
    scalerAddress: {{ .root.Values.autoscaling.scalerAddress | default (include "headwater.address" (dict "root" .root "component" "scaler")) | quote }}
    workload: {{ .component }}
    target: {{ $own.target | quote }}
    {{- if $own.latencySeconds }}
    latencySeconds: {{ $own.latencySeconds | quote }}
    {{- end }}
    {{- if include "headwater.tlsEnabled" .root }}
    enableTLS: "true"
    {{- end }}
  {{- if include "headwater.tlsEnabled" .root }}
  authenticationRef:
    name: {{ include "headwater.componentName" (dict "root" .root "component" "scaler") }}
  {{- end }}
{{- end }}

{{- define "headwater.horizontalPodAutoscaler" -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "headwater.componentName" . }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "headwater.componentName" . }}
  minReplicas: {{ $own.autoscaling.minReplicas }}
  maxReplicas: {{ $own.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        # Percent of what the pods request.
        target: {type: Utilization, averageUtilization: {{ $own.autoscaling.targetCpu }}}
  behavior:
    {{- toYaml .root.Values.autoscaling.behavior | nindent 4 }}
{{- end }}
