{{/* Pieces of network policies. All of them are lists of rules, for `ingress:` and `egress:`. */}}

{{- define "headwater.dnsEgress" -}}
{{- with .Values.networkPolicy.dns }}
- to:
    - namespaceSelector:
        {{- toYaml .namespaceSelector | nindent 8 }}
      podSelector:
        {{- toYaml .podSelector | nindent 8 }}
    {{- range .cidrs }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  ports:
    {{- range .ports }}
    - {protocol: UDP, port: {{ . }}}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}

{{/* From or to pods of this release: (dict "root" $ "component" "search"). */}}
{{- define "headwater.podPeer" -}}
- podSelector:
    matchLabels:
      {{- include "headwater.selectorLabels" . | nindent 6 }}
{{- end }}

{{/*
To where addresses lead: (dict "root" $ "name" "kafka" "addresses" "a:9092,b:9092" "port" 9092 "network" .Values.kafka.network).
An IP address is a block of its own; a name without dots lies in this namespace, one with .svc in the namespace that
it names; of any other name `network.cidrs` has to say where it is, since policies know no names. `network.ports`
replaces the port where a Service leads to another one of its pods.
*/}}
{{- define "headwater.egressTo" -}}
{{- $root := .root -}}
{{- $rules := dict -}}
{{- range $address := splitList "," .addresses -}}
{{- $address = trim $address -}}
{{- if $address -}}
{{- $scheme := regexFind "^[a-z]+://" $address -}}
{{- $authority := regexReplaceAll "^[a-z]+://([^@/]*@)?" $address "" | regexFind "^[^/?#]+" -}}
{{- $host := regexReplaceAll ":[0-9]+$" $authority "" | trimPrefix "[" | trimSuffix "]" -}}
{{- $port := default (toString $.port) (regexFind ":[0-9]+$" $authority | trimPrefix ":") -}}
{{- if and (eq $scheme "https://") (not (regexMatch ":[0-9]+$" $authority)) (not (eq $.name "qdrant")) }}{{ $port = "443" }}{{ end -}}
{{- $peer := dict -}}
{{- if regexMatch "^[0-9]+(\\.[0-9]+){3}$" $host -}}
{{- $peer = dict "ipBlock" (dict "cidr" (printf "%s/32" $host)) -}}
{{- else if contains ":" $host -}}
{{- $peer = dict "ipBlock" (dict "cidr" (printf "%s/128" $host)) -}}
{{- else if not (contains "." $host) -}}
{{- $peer = dict "podSelector" dict -}}
{{- else if regexMatch "\\.svc(\\.|$)" $host -}}
{{- $namespace := regexSplit "\\.svc(\\.|$)" $host -1 | first | splitList "." | last -}}
{{- $peer = dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" $namespace)) -}}
{{- else if not $.network.cidrs -}}
{{- fail (printf "%s: a network policy cannot tell where %q is; set %s.network.cidrs to the addresses behind it (0.0.0.0/0 for any), or networkPolicy.enabled=false" $.name $host $.name) -}}
{{- end -}}
{{- if $peer -}}
{{- $key := printf "%s %s" ($peer | toJson) $port -}}
{{- $_ := set $rules $key (dict "peer" $peer "port" $port) -}}
{{- else -}}
{{- $_ := set $rules $port (dict "cidrs" $.network.cidrs "port" $port) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $key, $rule := $rules }}
- to:
    {{- if $rule.peer }}
    - {{ $rule.peer | toJson }}
    {{- else }}
    {{- range $rule.cidrs }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
    {{- end }}
  ports:
    {{- range default (list $rule.port) $.network.ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}

{{/* To a store: (dict "root" $ "store" "kafka"). */}}
{{- define "headwater.storeEgress" -}}
{{- $values := include "headwater.storeValues" . | fromYaml -}}
{{- $port := get (dict "kafka" 9092 "elasticsearch" 9200 "qdrant" 6333 "redis" 6379 "postgresql" 5432 "s3" 443) .store -}}
{{- if $values.inCluster.enabled }}
- to:
    {{- include "headwater.podPeer" (dict "root" .root "component" .store) | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ ternary 9000 $port (eq .store "s3") }}}
{{- else }}
{{- $address := include "headwater.storeAddress" . -}}
{{- if eq .store "s3" }}{{ $address = default (printf "https://s3.%s.amazonaws.com" $values.region) $address }}{{ end -}}
{{- include "headwater.egressTo" (dict "root" .root "name" .store "addresses" $address "port" $port "network" $values.network) }}
{{- end }}
{{- end }}

{{/* To the collector of traces, which every pod that has settings may call. */}}
{{- define "headwater.collectorEgress" -}}
{{- with .Values.monitoring.otlpEndpoint }}
{{- include "headwater.egressTo" (dict "root" $ "name" "networkPolicy.collector" "addresses" . "port" 4317 "network" $.Values.networkPolicy.collector) }}
{{- end }}
{{- end }}

{{/* To the language models and tools of generation. */}}
{{- define "headwater.modelEgress" -}}
{{- $g := .Values.generation -}}
{{- $addresses := list -}}
{{- if $g.openai.baseUrl }}{{ $addresses = append $addresses $g.openai.baseUrl }}{{ end -}}
{{- range $model := $g.models.models | default list -}}
{{- $addresses = append $addresses (get $model "base_url" | default (printf "https://api.%s.com" $model.provider)) -}}
{{- end -}}
{{- if $addresses }}
{{- include "headwater.egressTo" (dict "root" $ "name" "generation" "addresses" ($addresses | join ",") "port" 80 "network" (dict "cidrs" $g.network.cidrs "ports" list)) }}
{{- end }}
{{- with $g.network.cidrs }}
- to:
    {{- range . }}
    - ipBlock: {cidr: {{ . | quote }}}
    {{- end }}
  ports:
    {{- range $g.network.ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}

{{/* The port on which the other components call one; at the gateway that is only the scaler. */}}
{{- define "headwater.calledPort" -}}
{{- if eq . "gateway" }}7006{{ else }}{{ include "headwater.port" . }}{{ end -}}
{{- end }}

{{/* The policy of a component: who may come in, and where it may go. */}}
{{- define "headwater.networkPolicy" -}}
{{- include "headwater.checks" .root -}}
{{- $root := .root -}}
{{- $component := .component -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
{{- $policy := $root.Values.networkPolicy -}}
{{- $callers := include "headwater.callers" . | fromJsonArray -}}
{{- $deployed := include "headwater.components" $root | fromJsonArray -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "headwater.componentName" . }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "headwater.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- range $caller := $callers }}
    {{- if or (has $caller $deployed) (eq $caller "cli") }}
    - from:
        {{- include "headwater.podPeer" (dict "root" $root "component" $caller) | nindent 8 }}
      ports:
        - {protocol: TCP, port: {{ include "headwater.calledPort" $component }}}
    {{- end }}
    {{- end }}
    {{- if eq $component "gateway" }}
    - ports:
        - {protocol: TCP, port: 8080}
      {{- with $policy.gatewayFrom }}
      from:
        {{- toYaml . | nindent 8 }}
        {{- if $root.Values.hooks.smokeTest.enabled }}
        {{- include "headwater.podPeer" (dict "root" $root "component" "smoke-test") | nindent 8 }}
        {{- end }}
      {{- end }}
    {{- else if eq $component "scaler" }}
    - from:
        - {{ $policy.keda | toJson }}
      ports:
        - {protocol: TCP, port: 7005}
    {{- end }}
    - from:
        - {{ $policy.prometheus | toJson }}
      ports:
        - {protocol: TCP, port: 9464}
  egress:
    {{- include "headwater.dnsEgress" $root | trim | nindent 4 }}
    {{- range $other := $deployed }}
    {{- if has $component (include "headwater.callers" (dict "root" $root "component" $other) | fromJsonArray) }}
    - to:
        {{- include "headwater.podPeer" (dict "root" $root "component" $other) | nindent 8 }}
      ports:
        - {protocol: TCP, port: {{ include "headwater.calledPort" $other }}}
    {{- end }}
    {{- end }}
    {{- range $store := include "headwater.storesOf" $component | fromJsonArray }}
    {{- with include "headwater.storeEgress" (dict "root" $root "store" $store) | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- if eq $component "generation" }}
    {{- with include "headwater.modelEgress" $root | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with include "headwater.collectorEgress" $root | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with $own.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
