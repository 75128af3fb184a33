{{/* The objects of a component that serves: (dict "root" $ "component" "search"). */}}

{{- define "headwater.deployment" -}}
{{- include "headwater.checks" .root -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
{{- $mode := .root.Values.autoscaling.mode -}}
{{- $port := include "headwater.port" .component -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "headwater.componentName" . }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
spec:
  {{- if or (eq $mode "none") (eq .component "scaler") }}
  replicas: {{ $own.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  progressDeadlineSeconds: 600
  strategy:
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
  selector:
    matchLabels:
      {{- include "headwater.selectorLabels" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "headwater.podLabels" . | nindent 8 }}
        {{- with $own.podLabels }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      annotations:
        kubectl.kubernetes.io/default-container: {{ .component }}
        {{- include "headwater.checksums" . | trim | nindent 8 }}
        {{- with $own.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    spec:
      serviceAccountName: {{ include "headwater.serviceAccountName" . }}
      automountServiceAccountToken: false
      # Variables of services of this namespace begin with the release's name, as the settings do.
      enableServiceLinks: false
      {{- with include "headwater.imagePullSecrets" .root | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      securityContext:
        {{- include "headwater.podSecurityContext" . | nindent 8 }}
      # The sleep before SIGTERM, the draining after it, and some for the rest.
      terminationGracePeriodSeconds: {{ add (int $own.drain.preStopSeconds) (int $own.drain.graceSeconds) 5 }}
      {{- with include "headwater.placement" . | trim }}
      {{- . | nindent 6 }}
      {{- end }}
      {{- include "headwater.spread" . | nindent 6 }}
      {{- with $own.extraInitContainers }}
      initContainers:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .component }}
          image: {{ include "headwater.image" . }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          securityContext:
            {{- include "headwater.containerSecurityContext" . | nindent 12 }}
          envFrom:
            {{- include "headwater.envFrom" .root | nindent 12 }}
          env:
            {{- include "headwater.env" . | trim | nindent 12 }}
          ports:
            - {name: {{ include "headwater.portName" .component }}, containerPort: {{ $port }}}
            - {name: metrics, containerPort: 9464}
            {{- if and (eq .component "gateway") (eq $mode "keda") }}
            - {name: load, containerPort: 7006}
            {{- end }}
          {{- include "headwater.probes" . | nindent 10 }}
          lifecycle:
            preStop:
              # Until everybody has heard that this pod is no longer an endpoint.
              sleep:
                seconds: {{ $own.drain.preStopSeconds }}
          resources:
            {{- toYaml $own.resources | nindent 12 }}
          volumeMounts:
            {{- include "headwater.volumeMounts" . | nindent 12 }}
        {{- with $own.extraContainers }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      volumes:
        {{- include "headwater.volumes" . | nindent 8 }}
{{- end }}

{{- define "headwater.grpcProtocol" -}}
{{- ternary "grpcs" "grpc" (not (empty (include "headwater.tlsEnabled" .))) -}}
{{- end }}

{{/* Headless: each caller sees every pod and spreads its calls over them. */}}
{{- define "headwater.service" -}}
{{- $own := include "headwater.componentValues" . | fromYaml -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "headwater.componentName" . }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
  {{- with $own.service.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  clusterIP: None
  publishNotReadyAddresses: false
  selector:
    {{- include "headwater.selectorLabels" . | nindent 4 }}
  ports:
    - name: grpc
      port: {{ include "headwater.port" .component }}
      targetPort: grpc
      appProtocol: {{ include "headwater.grpcProtocol" .root }}
    - {name: metrics, port: 9464, targetPort: metrics}
{{- end }}

{{- define "headwater.serviceAccount" -}}
{{- $account := (include "headwater.componentValues" . | fromYaml).serviceAccount | default dict -}}
{{- if not $account.name }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "headwater.componentName" . }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
  {{- with $account.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end }}
{{- end }}

{{- define "headwater.disruptionBudget" -}}
{{- if .root.Values.podDisruptionBudget.enabled }}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "headwater.componentName" . }}
  labels:
    {{- include "headwater.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .root.Values.podDisruptionBudget.maxUnavailable }}
  # A pod that is not ready helps nobody, and may go.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "headwater.selectorLabels" . | nindent 6 }}
{{- end }}
{{- end }}
