{{- define "headwater.apiKeysSecret" -}}
{{- default (printf "%s-api-keys" (include "headwater.fullname" .)) .Values.gateway.apiKeys.existingSecret -}}
{{- end }}
