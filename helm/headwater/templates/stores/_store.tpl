{{/*
A store of a single node, for trying out: all of its objects. (dict "root" $ "component" "kafka" "user" 1000 "ports" (dict
"kafka" 9092) "data" "/var/lib/kafka/data" "container" "…" "volumes" "…" "initContainers" "…"); `container` is what its
container has beside, as YAML. Without `data` nothing is kept.
*/}}
{{- define "headwater.store" -}}
{{- $root := .root -}}
{{- $own := (include "headwater.componentValues" . | fromYaml).inCluster -}}
{{- $name := include "headwater.componentName" . -}}
{{- $secret := eq (include "headwater.storeSecret" (dict "root" $root "store" .component)) "" | ternary "" .component -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
spec:
  selector:
    {{- include "headwater.selectorLabels" . | nindent 4 }}
  ports:
    {{- range $port, $number := .ports }}
    - {name: {{ $port }}, port: {{ $number }}, targetPort: {{ $port }}}
    {{- end }}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $name }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
spec:
  replicas: 1
  serviceName: {{ $name }}
  selector:
    matchLabels:
      {{- include "headwater.selectorLabels" . | nindent 6 }}
  {{- if .data }}
  # With the release goes its password, without which nobody could open what was kept.
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Retain}
  {{- end }}
  template:
    metadata:
      labels:
        {{- include "headwater.podLabels" . | nindent 8 }}
      annotations:
        checksum/container: {{ .container | sha256sum }}
        {{- with .files }}
        checksum/files: {{ . | toYaml | sha256sum }}
        {{- end }}
    spec:
      serviceAccountName: {{ $name }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      {{- with include "headwater.imagePullSecrets" $root | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: {{ .user }}
        runAsGroup: {{ .user }}
        fsGroup: {{ .user }}
        fsGroupChangePolicy: OnRootMismatch
        seccompProfile:
          type: RuntimeDefault
      terminationGracePeriodSeconds: 60
      {{- with include "headwater.placement" . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- with .initContainers }}
      initContainers:
        {{- . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "headwater.storeImage" . }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          securityContext:
            {{- include "headwater.containerSecurityContext" $root | nindent 12 }}
          ports:
            {{- range $port, $number := .ports }}
            - {name: {{ $port }}, containerPort: {{ $number }}}
            {{- end }}
          {{- .container | nindent 10 }}
          resources:
            {{- toYaml $own.resources | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- with .data }}
            - {name: data, mountPath: {{ . }}}
            {{- end }}
            {{- if $secret }}
            - {name: secret, mountPath: {{ include "headwater.secretsDir" $root }}/{{ .component }}, readOnly: true}
            {{- end }}
            {{- if .files }}
            - {name: files, mountPath: /etc/headwater, readOnly: true}
            {{- end }}
            {{- with .volumeMounts }}
            {{- . | nindent 12 }}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {sizeLimit: 256Mi}
        {{- if $secret }}
        - name: secret
          secret:
            secretName: {{ include "headwater.storeSecret" (dict "root" $root "store" .component) }}
            defaultMode: 0440
            items:
              {{- range $file, $key := include "headwater.storeFiles" (dict "root" $root "store" .component) | fromJson }}
              - {key: {{ $key | quote }}, path: {{ $file }}}
              {{- end }}
        {{- end }}
        {{- if .files }}
        - name: files
          configMap:
            name: {{ $name }}
        {{- end }}
        {{- if and .data (not $own.storage.size) }}
        - name: data
          emptyDir: {sizeLimit: 8Gi}
        {{- end }}
        {{- with .volumes }}
        {{- . | nindent 8 }}
        {{- end }}
  {{- if and .data $own.storage.size }}
  volumeClaimTemplates:
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: data
        labels:
          {{- include "headwater.selectorLabels" . | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $own.storage.className }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ $own.storage.size }}
  {{- end }}
---
{{ include "headwater.disruptionBudget" . }}
---
{{ include "headwater.storePolicy" . }}
{{- with .files }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $name }}
  labels:
    {{- include "headwater.labels" $ | nindent 4 }}
data:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* By digest where one is given, else by tag; the repository names the registry too. */}}
{{- define "headwater.storeImage" -}}
{{- $image := (include "headwater.componentValues" . | fromYaml).inCluster.image -}}
{{- if $image.digest }}{{ printf "%s@%s" $image.repository $image.digest }}{{ else }}{{ printf "%s:%s" $image.repository $image.tag }}{{ end -}}
{{- end }}

{{/* Lets in who opens the store, and lets it out to nowhere. */}}
{{- define "headwater.storePolicy" -}}
{{- $root := .root -}}
{{- $store := .component -}}
{{- if $root.Values.networkPolicy.enabled -}}
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
    - from:
        {{- range $user, $stores := include "headwater.storeUsers" $root | fromJson }}
        {{- if has $store $stores }}
        {{- include "headwater.podPeer" (dict "root" $root "component" $user) | nindent 8 }}
        {{- end }}
        {{- end }}
        {{- if and (eq $store "kafka") (eq $root.Values.autoscaling.mode "keda") }}
        # For the lag of ingest.
        - {{ $root.Values.networkPolicy.keda | toJson }}
        {{- end }}
      ports:
        {{- range $port, $number := .ports }}
        - {protocol: TCP, port: {{ $number }}}
        {{- end }}
{{- end }}
{{- end }}

{{/* A TCP or HTTP probe as all three: a start that may last, then quick ones. (dict "ready" "…" "live" "…") */}}
{{- define "headwater.storeProbes" -}}
startupProbe:
  {{- .ready | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 150
readinessProbe:
  {{- .ready | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  {{- .live | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}
