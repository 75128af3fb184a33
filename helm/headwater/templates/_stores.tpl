{{/* Where the stores are, and the secrets that open them. Partials about one take (dict "root" $ "store" "kafka"). */}}

{{/* Names a store's own values. */}}
{{- define "headwater.storeValues" -}}
{{- index .root.Values .store | toYaml -}}
{{- end }}

{{/* The Service of an in-cluster store. */}}
{{- define "headwater.storeName" -}}
{{- printf "%s-%s" (include "headwater.fullname" .root) .store -}}
{{- end }}

{{- define "headwater.storeHost" -}}
{{- printf "%s.%s.svc" (include "headwater.storeName" .) .root.Release.Namespace -}}
{{- end }}

{{/* The address of each store as its setting wants it: of the in-cluster one where that is on. Empty: there is none. */}}
{{- define "headwater.storeAddress" -}}
{{- $values := include "headwater.storeValues" . | fromYaml -}}
{{- $host := include "headwater.storeHost" . -}}
{{- if $values.inCluster.enabled -}}
{{- if eq .store "kafka" }}{{ $host }}:9092
{{- else if eq .store "elasticsearch" }}http://{{ $host }}:9200
{{- else if eq .store "qdrant" }}http://{{ $host }}:6333
{{- else if eq .store "redis" }}redis://{{ $host }}:6379
{{- else if eq .store "postgresql" }}postgres://headwater@{{ $host }}:5432/headwater
{{- else if eq .store "s3" }}http://{{ $host }}:9000
{{- end -}}
{{- else if eq .store "kafka" }}{{ $values.brokers }}
{{- else if eq .store "s3" }}{{ $values.endpoint }}
{{- else }}{{ $values.url }}
{{- end -}}
{{- end }}

{{/* The secret with a store's credentials: the operator's, else the one of the in-cluster store. Empty: none. */}}
{{- define "headwater.storeSecret" -}}
{{- $values := include "headwater.storeValues" . | fromYaml -}}
{{- if $values.existingSecret -}}
{{- $values.existingSecret -}}
{{- else if and $values.inCluster.enabled (has .store (include "headwater.storesWithSecret" .root | fromJsonArray)) -}}
{{- include "headwater.storeName" . -}}
{{- end -}}
{{- end }}

{{/*
What a component reads of a store's secret, as a JSON object from file to the secret's key: the file is below
/run/secrets/headwater/<store>/, and its setting names it. Only keys that the values name are there.
*/}}
{{- define "headwater.storeFiles" -}}
{{- $values := include "headwater.storeValues" . | fromYaml -}}
{{- $files := dict -}}
{{- if include "headwater.storeSecret" . -}}
{{- range $file, $key := $values.secretKeys -}}
{{- if $key }}{{ $_ := set $files (kebabcase $file) $key }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $files | toJson -}}
{{- end }}

{{/* The in-cluster stores that ask who calls, as a JSON list. */}}
{{- define "headwater.storesWithSecret" -}}
{{- list "qdrant" "redis" "postgresql" "s3" | toJson -}}
{{- end }}

{{/* Who opens which stores, as a JSON object from component to stores; the pods of hooks and tests are there too. */}}
{{- define "headwater.storeUsers" -}}
{{- dict
  "ingest" (list "kafka" "elasticsearch" "qdrant" "postgresql" "s3")
  "embedding-worker" (list "redis")
  "search" (list "elasticsearch" "qdrant")
  "generation" (list "postgresql")
  "backup" (list "kafka" "postgresql" "s3")
  "prepare" (list "kafka" "elasticsearch" "qdrant" "postgresql" "s3")
  "smoke-test" (list "kafka")
  "cli" (list "kafka" "elasticsearch" "qdrant" "postgresql" "s3") | toJson -}}
{{- end }}

{{/* The stores that a component opens, and so whose secrets it mounts and whose addresses it may reach. JSON list. */}}
{{- define "headwater.storesOf" -}}
{{- get (include "headwater.storeUsers" . | fromJson) . | default list | toJson -}}
{{- end }}
