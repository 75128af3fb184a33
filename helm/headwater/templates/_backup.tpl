{{/* What a backup reads and writes beside the settings of all. */}}

{{/* The bucket of a destination s3://…; empty: a folder on a volume. */}}
{{- define "headwater.backupBucket" -}}
{{- if hasPrefix "s3://" .Values.backup.destination }}{{ regexFind "^s3://[^/]+" .Values.backup.destination | trimPrefix "s3://" }}{{ end -}}
{{- end }}

{{- define "headwater.backupEnv" -}}
{{- $b := .Values.backup -}}
{{- $settings := dict
  "HEADWATER_BACKUP_DESTINATION" $b.destination
  "HEADWATER_BACKUP_RETENTION" $b.retention
  "HEADWATER_BACKUP_S3_ENDPOINT" $b.s3.endpoint
  "HEADWATER_BACKUP_S3_REGION" $b.s3.region
  "HEADWATER_BACKUP_S3_ACCESS_KEY_ID" $b.s3.accessKeyId
  "HEADWATER_BACKUP_S3_ENCRYPTION" $b.s3.encryption
  "HEADWATER_BACKUP_S3_KMS_KEY" $b.s3.kmsKey -}}
{{- if $b.existingSecret -}}
{{- if $b.secretKeys.secretKey }}{{ $_ := set $settings "HEADWATER_BACKUP_S3_SECRET_KEY_FILE" "/run/secrets/backup/secret-key" }}{{ end -}}
{{- if $b.secretKeys.ca }}{{ $_ := set $settings "HEADWATER_BACKUP_S3_CA_FILE" "/run/secrets/backup/ca" }}{{ end -}}
{{- end -}}
{{- range $name, $value := merge (deepCopy .Values.cli.settings) $settings }}
{{- if ne (toString $value) "" }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a destination needs of a pod: its secret, or its volume. */}}
{{- define "headwater.destinationVolumes" -}}
{{- with .Values.backup.existingSecret }}
- name: backup-secret
  secret:
    secretName: {{ . }}
    defaultMode: 0440
    items:
      {{- with $.Values.backup.secretKeys.secretKey }}
      - {key: {{ . | quote }}, path: secret-key}
      {{- end }}
      {{- with $.Values.backup.secretKeys.ca }}
      - {key: {{ . | quote }}, path: ca}
      {{- end }}
{{- end }}
{{- if not (include "headwater.backupBucket" .) }}
- name: backups
  {{- toYaml .Values.backup.volume | nindent 2 }}
{{- end }}
{{- end }}

{{- define "headwater.destinationMounts" -}}
{{- if .Values.backup.existingSecret }}
- {name: backup-secret, mountPath: /run/secrets/backup, readOnly: true}
{{- end }}
{{- if not (include "headwater.backupBucket" .) }}
- {name: backups, mountPath: {{ .Values.backup.destination | quote }}}
{{- end }}
{{- end }}

{{/* To the destination, where it is not the server of the originals. */}}
{{- define "headwater.backupEgress" -}}
{{- $b := .Values.backup -}}
{{- if include "headwater.backupBucket" . -}}
{{- if $b.s3.endpoint -}}
{{- include "headwater.egressTo" (dict "root" . "name" "backup.s3" "addresses" $b.s3.endpoint "port" 443 "network" $b.s3.network) }}
{{- else if or $b.s3.region (and $b.s3.network.cidrs) -}}
{{- $region := default .Values.s3.region $b.s3.region -}}
{{- include "headwater.egressTo" (dict "root" . "name" "backup.s3" "addresses" (printf "https://s3.%s.amazonaws.com" $region) "port" 443 "network" $b.s3.network) }}
{{- end -}}
{{- end -}}
{{- end }}
