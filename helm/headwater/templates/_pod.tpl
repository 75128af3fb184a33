{{/* What pods have in common, those of hooks, tests and backups too. */}}

{{/* Accepted by Pod Security "restricted". 65532 is the user of the images. */}}
{{- define "headwater.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "headwater.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities:
  drop: [ALL]
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/* The ConfigMap with the settings of all; for pods that run the cli too. */}}
{{- define "headwater.envFrom" -}}
- configMapRef:
    name: {{ include "headwater.settingsName" . }}
{{- end }}

{{/*
The probes of a service. A start-up probe of its own lets a slow start last two minutes, and the others be quick after it.
kubelet's gRPC probes cannot speak TLS, so with TLS on it asks the plain port of the metrics, which answers the same.
*/}}
{{- define "headwater.probes" -}}
{{- $grpc := and (ne .component "gateway") (not (include "headwater.tlsEnabled" .root)) -}}
{{- $port := include "headwater.port" .component | int -}}
startupProbe:
  {{- if $grpc }}
  grpc: {port: {{ $port }}, service: liveness}
  {{- else }}
  httpGet: {path: /health/live, port: metrics}
  {{- end }}
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 120
livenessProbe:
  {{- if $grpc }}
  grpc: {port: {{ $port }}, service: liveness}
  {{- else }}
  httpGet: {path: /health/live, port: metrics}
  {{- end }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  {{- if $grpc }}
  grpc: {port: {{ $port }}, service: ""}
  {{- else }}
  httpGet: {path: /health/ready, port: metrics}
  {{- end }}
  periodSeconds: 3
  timeoutSeconds: 3
  failureThreshold: 3
{{- end }}

{{/*
Volumes of a component: /tmp, the secrets of its stores, its certificate. (dict "root" $ "component" "cli" "stores" (list
"kafka") "tls" false) for a pod that needs others than "headwater.storesOf" says, or no certificate.
*/}}
{{- define "headwater.volumes" -}}
{{- $root := .root -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ $own.tmpSize | default "256Mi" }}
{{- $sources := include "headwater.secretSources" . }}
{{- if $sources }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- $sources | trim | nindent 6 }}
{{- end }}
{{- if eq .component "embedding-worker" }}
{{- with $own.model.volume }}
- name: model
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- if eq .component "generation" }}
{{- if or $own.models $own.tools }}
- name: files
  configMap:
    name: {{ include "headwater.componentName" . }}
{{- end }}
{{- end }}
{{- with $own.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The secrets that a component sees, each in a folder of its own. Changes reach the pod within a minute or so. */}}
{{- define "headwater.secretSources" -}}
{{- $root := .root -}}
{{- $stores := hasKey . "stores" | ternary .stores (include "headwater.storesOf" .component | fromJsonArray) -}}
{{- range $store := $stores }}
{{- $of := dict "root" $root "store" $store }}
{{- $files := include "headwater.storeFiles" $of | fromJson }}
{{- if $files }}
- secret:
    name: {{ include "headwater.storeSecret" $of }}
    items:
      {{- range $file, $key := $files }}
      - {key: {{ $key | quote }}, path: {{ printf "%s/%s" $store $file }}}
      {{- end }}
{{- end }}
{{- end }}
{{- if and (include "headwater.tlsEnabled" $root) (ne .tls false) }}
- secret:
    name: {{ include "headwater.tlsSecret" . }}
    items:
      - {key: tls.crt, path: tls/tls.crt}
      - {key: tls.key, path: tls/tls.key}
      - {key: ca.crt, path: tls/ca.crt}
{{- end }}
{{- if eq .component "gateway" }}
- secret:
    name: {{ include "headwater.apiKeysSecret" $root }}
    items:
      - {key: {{ $root.Values.gateway.apiKeys.secretKey | quote }}, path: api-keys/api-keys}
{{- end }}
{{- if eq .component "generation" }}
{{- with $root.Values.generation.openai }}
{{- if .existingSecret }}
- secret:
    name: {{ .existingSecret }}
    items:
      - {key: {{ .secretKey | quote }}, path: openai/api-key}
{{- end }}
{{- end }}
{{- with $root.Values.generation.modelSecret }}
- secret:
    name: {{ . }}
{{- end }}
{{- end }}
{{- end }}

{{- define "headwater.volumeMounts" -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
- name: tmp
  mountPath: /tmp
{{- if include "headwater.secretSources" . }}
- name: secrets
  mountPath: {{ include "headwater.secretsDir" .root }}
  readOnly: true
{{- end }}
{{- if eq .component "embedding-worker" }}
{{- if $own.model.volume }}
- name: model
  mountPath: /models
  readOnly: true
{{- end }}
{{- end }}
{{- if eq .component "generation" }}
{{- if or $own.models $own.tools }}
- name: files
  mountPath: /etc/headwater
  readOnly: true
{{- end }}
{{- end }}
{{- with $own.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Where pods may run: the component's word, else everybody's. */}}
{{- define "headwater.placement" -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
{{- $all := .root.Values.placement -}}
{{- with default $all.nodeSelector $own.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with default $all.tolerations $own.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $own.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with default $all.priorityClassName $own.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* Pods of a component over zones and nodes; a zone that is missing or full holds nothing up. */}}
{{- define "headwater.spread" -}}
topologySpreadConstraints:
{{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "headwater.selectorLabels" $ | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}

{{/* Pods start anew when what they were started with changes. Secrets that are read anew by themselves are not here. */}}
{{- define "headwater.checksums" -}}
checksum/settings: {{ include "headwater.settings" .root | sha256sum }}
{{- if eq .component "generation" }}
checksum/files: {{ dict "models" .root.Values.generation.models "tools" .root.Values.generation.tools | toYaml | sha256sum }}
{{- end }}
{{- end }}
