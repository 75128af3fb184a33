{{/* TLS between the services: each has a certificate of its own in a secret, mounted as files. */}}

{{- define "headwater.tlsEnabled" -}}
{{- if ne .Values.tls.mode "none" }}true{{ end -}}
{{- end }}

{{/* Who calls a component's gRPC server, as a JSON list of components that are deployed; "keda" is KEDA's operator. */}}
{{- define "headwater.callers" -}}
{{- $all := dict
  "ingest" (list "gateway" "generation" "scaler" "cli")
  "embedding-worker" (list "ingest" "search" "generation" "gateway" "scaler" "cli")
  "search" (list "generation" "gateway" "scaler" "cli")
  "generation" (list "gateway" "generation" "scaler" "cli")
  "gateway" (list "scaler")
  "scaler" (list "keda") -}}
{{- $holders := include "headwater.tlsHolders" .root | fromJsonArray -}}
{{- $callers := list -}}
{{- range get $all .component -}}
{{- if has . $holders }}{{ $callers = append $callers . }}{{ end -}}
{{- end -}}
{{- $callers | toJson -}}
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

{{/* The names in a component's certificate, as a JSON list: its Service by each of the names that callers may use. */}}
{{- define "headwater.tlsNames" -}}
{{- $name := include "headwater.componentName" . -}}
{{- $names := list (include "headwater.host" .) -}}
{{- if has .component (include "headwater.components" .root | fromJsonArray) -}}
{{- $names = concat $names (list $name (printf "%s.%s" $name .root.Release.Namespace) (printf "%s.%s" (include "headwater.host" .) (default "cluster.local" .root.Values.clusterDomain))) -}}
{{- end -}}
{{- if eq .component "gateway" }}{{ $load := include "headwater.gatewayLoadHost" .root }}{{ $names = concat $names (list $load (printf "%s.%s" $load (default "cluster.local" .root.Values.clusterDomain))) }}{{ end -}}
{{- $names | toJson -}}
{{- end }}

{{/* Who has a certificate, as a JSON list: the components, KEDA where it calls the scaler, and the operator's command. */}}
{{- define "headwater.tlsHolders" -}}
{{- $holders := include "headwater.components" . | fromJsonArray -}}
{{- if has "scaler" $holders }}{{ $holders = append $holders "keda" }}{{ end -}}
{{- if .Values.cli.enabled }}{{ $holders = append $holders "cli" }}{{ end -}}
{{- $holders | toJson -}}
{{- end }}

{{- define "headwater.tlsDir" -}}
{{- printf "%s/tls" (include "headwater.secretsDir" .) -}}
{{- end }}

{{- define "headwater.tlsSettings" -}}
{{- $root := .root -}}
{{- if include "headwater.tlsEnabled" $root }}
HEADWATER_TLS_DIR: {{ include "headwater.tlsDir" $root }}
{{- $callers := include "headwater.callers" . | fromJsonArray }}
{{- if $callers }}
{{- $identities := list }}
{{- range $callers }}
{{- $identities = append $identities (include "headwater.identity" (dict "root" $root "component" .)) }}
{{- end }}
HEADWATER_TLS_ALLOWED_CLIENTS: {{ $identities | join "," | quote }}
{{- end }}
{{- end }}
{{- end }}
