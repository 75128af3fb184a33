{{/* TLS between the services: each has a certificate of its own in a secret, mounted as files. */}}

{{- define "headwater.tlsEnabled" -}}
{{- if ne .Values.tls.mode "none" }}true{{ end -}}
{{- end }}

{{/* Who may call a component's gRPC server, as a JSON list of components; "keda" is KEDA's operator. */}}
{{- define "headwater.callers" -}}
{{- $callers := dict
  "ingest" (list "gateway" "generation" "scaler" "cli")
  "embedding-worker" (list "ingest" "search" "generation" "gateway" "scaler" "cli")
  "search" (list "generation" "gateway" "scaler" "cli")
  "generation" (list "gateway" "generation" "scaler" "cli")
  "scaler" (list "keda") -}}
{{- get $callers . | default list | toJson -}}
{{- end }}

{{/* The name in a component's certificate by which others know it. */}}
{{- define "headwater.identity" -}}
{{- default (include "headwater.host" .) (get .root.Values.tls.identities (include "headwater.valuesKey" .component)) -}}
{{- end }}

{{/* The secret with a component's tls.crt, tls.key and ca.crt. */}}
{{- define "headwater.tlsSecret" -}}
{{- if eq .root.Values.tls.mode "existingSecrets" -}}
{{- $key := include "headwater.valuesKey" .component -}}
{{- required (printf "tls.existingSecrets.%s: name the secret with tls.crt, tls.key and ca.crt" $key) (get .root.Values.tls.existingSecrets $key) -}}
{{- else -}}
{{- printf "%s-tls" (include "headwater.componentName" .) -}}
{{- end -}}
{{- end }}

{{- define "headwater.tlsDir" -}}
{{- printf "%s/tls" (include "headwater.secretsDir" .) -}}
{{- end }}

{{- define "headwater.tlsSettings" -}}
{{- $root := .root -}}
{{- if include "headwater.tlsEnabled" $root }}
HEADWATER_TLS_DIR: {{ include "headwater.tlsDir" $root }}
{{- $callers := include "headwater.callers" .component | fromJsonArray }}
{{- if $callers }}
{{- $identities := list }}
{{- range $callers }}
{{- $identities = append $identities (include "headwater.identity" (dict "root" $root "component" .)) }}
{{- end }}
HEADWATER_TLS_ALLOWED_CLIENTS: {{ $identities | join "," | quote }}
{{- end }}
{{- end }}
{{- end }}
