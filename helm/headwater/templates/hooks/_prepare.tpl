{{/* The job that makes what an installation needs in its stores, and what it runs with. All of it are hooks. */}}

{{- define "headwater.prepareName" -}}
{{- include "headwater.componentName" (dict "root" . "component" "prepare") -}}
{{- end }}

{{/*
When it runs. Stores outside are there before the release, and so it goes first; those in the cluster are made by the
release, and so it goes last: the services may make things by themselves then.
*/}}
{{- define "headwater.prepareEvents" -}}
{{- $inside := false -}}
{{- range $store := include "headwater.storesOf" "prepare" | fromJsonArray -}}
{{- if (index $.Values $store).inCluster.enabled }}{{ $inside = true }}{{ end -}}
{{- end -}}
{{- ternary "post-install,post-upgrade" "pre-install,pre-upgrade" $inside -}}
{{- end }}

{{/* What it has is there before the job, and gone after it: an uninstall knows nothing of hooks. (dict "root" $ "weight" -10) */}}
{{- define "headwater.prepareMetadata" -}}
name: {{ include "headwater.prepareName" .root }}
labels:
  {{- include "headwater.labels" (dict "root" .root "component" "prepare") | nindent 2 }}
annotations:
  helm.sh/hook: {{ include "headwater.prepareEvents" .root }}
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}

{{/*
The settings of all, with ingest's own, since the chunking is part of what indexes are made for; the ones of TLS between
services are not among them, for the embedding-worker is in the pod. The hook's own win.
*/}}
{{- define "headwater.prepareSettings" -}}
{{- $settings := include "headwater.settings" . | fromYaml -}}
{{- $own := dict
  "HEADWATER_EMBEDDING_ADDRESS" "127.0.0.1:7002"
  "HEADWATER_EMBEDDING_LISTEN" "127.0.0.1:7002" -}}
{{- with .Values.embeddingWorker.model -}}
{{- if .dir }}{{ $_ := set $own "HEADWATER_EMBEDDING_MODEL_DIR" .dir }}{{ end -}}
{{- end -}}
{{- $settings = omit $settings "HEADWATER_REDIS_URL" "HEADWATER_REDIS_PASSWORD_FILE" "HEADWATER_REDIS_CA_FILE" -}}
{{- $settings = mergeOverwrite $settings (deepCopy .Values.embeddingWorker.settings) (deepCopy .Values.ingest.settings) $own (deepCopy .Values.hooks.prepare.settings) -}}
{{- range $name, $value := $settings }}
{{ $name }}: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{/* The secrets of the stores, as the services see them, or others that say who may make things. */}}
{{- define "headwater.prepareSecrets" -}}
{{- $root := . -}}
{{- range $store := include "headwater.storesOf" "prepare" | fromJsonArray }}
{{- $of := dict "root" $root "store" $store }}
{{- $files := include "headwater.storeFiles" $of | fromJson }}
{{- if $files }}
- secret:
    name: {{ default (include "headwater.storeSecret" $of) (get $root.Values.hooks.prepare.existingSecrets $store) }}
    items:
      {{- range $file, $key := $files }}
      - {key: {{ $key | quote }}, path: {{ printf "%s/%s" $store $file }}}
      {{- end }}
{{- end }}
{{- end }}
{{- end }}
