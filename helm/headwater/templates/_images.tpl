{{/* The image of a component: by digest where one is given, else by its own tag or that of all, never "latest". */}}
{{- define "headwater.image" -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
{{- $image := .root.Values.image -}}
{{- $name := printf "headwater-%s" .component -}}
{{- $repository := ternary $name (printf "%s/%s" $image.registry $name) (empty $image.registry) -}}
{{- $tag := dig "image" "tag" "" $own | default $image.tag | default .root.Chart.AppVersion -}}
{{- $digest := dig "image" "digest" "" $own -}}
{{- if $digest -}}
{{- printf "%s@%s" $repository $digest -}}
{{- else if eq $tag "latest" -}}
{{- fail "image.tag: latest is not one version; name a version, or give each component's image.digest" -}}
{{- else -}}
{{- printf "%s:%s" $repository $tag -}}
{{- end -}}
{{- end }}

{{- define "headwater.imagePullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end }}
