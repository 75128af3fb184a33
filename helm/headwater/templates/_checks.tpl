{{/* Combinations that cannot work, all told at once. */}}
{{- define "headwater.checks" -}}
{{- $root := . -}}
{{- $v := .Values -}}
{{- $problems := list -}}

{{- range $store := list "kafka" "elasticsearch" "qdrant" "postgresql" "s3" -}}
{{- $own := index $v $store -}}
{{- $where := get (dict "kafka" "brokers" "s3" "bucket") $store | default "url" -}}
{{- if not (or $own.inCluster.enabled (get $own $where)) -}}
{{- $problems = append $problems (printf "%s.%s is not set: give the address of the server, or try one out with %s.inCluster.enabled=true" $store $where $store) -}}
{{- end -}}
{{- end -}}
{{- range $store := list "kafka" "elasticsearch" "qdrant" "redis" "postgresql" "s3" -}}
{{- $own := index $v $store -}}
{{- $where := get (dict "kafka" "brokers" "s3" "endpoint") $store | default "url" -}}
{{- if and $own.inCluster.enabled (get $own $where) -}}
{{- $problems = append $problems (printf "%s.%s and %s.inCluster.enabled are both set: which of the two is it?" $store $where $store) -}}
{{- end -}}
{{- if regexMatch "//[^/@]*:[^/@]+@" (toString (get $own $where)) -}}
{{- $problems = append $problems (printf "%s.%s holds a password: put it into a secret and name that in %s.existingSecret" $store $where $store) -}}
{{- end -}}
{{- end -}}
{{- if and $v.kafka.username (not $v.kafka.existingSecret) -}}
{{- $problems = append $problems "kafka.username needs kafka.existingSecret with its password" -}}
{{- end -}}
{{- if and $v.elasticsearch.username (not $v.elasticsearch.existingSecret) -}}
{{- $problems = append $problems "elasticsearch.username needs elasticsearch.existingSecret with its password" -}}
{{- end -}}
{{- if and $v.s3.accessKeyId (not (or $v.s3.existingSecret $v.s3.inCluster.enabled)) -}}
{{- $problems = append $problems "s3.accessKeyId needs s3.existingSecret with its secret key" -}}
{{- end -}}

{{- range $component := list "ingest" "embeddingWorker" "search" "generation" "gateway" -}}
{{- $own := index $v $component -}}
{{- $scaling := $own.autoscaling -}}
{{- if ne $v.autoscaling.mode "none" -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- $problems = append $problems (printf "%s.autoscaling: minReplicas %d is above maxReplicas %d" $component (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- if and (eq (int $scaling.minReplicas) 0) (or (ne $component "ingest") (eq $v.autoscaling.mode "hpa")) -}}
{{- $problems = append $problems (printf "%s.autoscaling.minReplicas is 0: only ingest can go to zero, and only with autoscaling.mode=keda; callers of the others would find nobody" $component) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := merge (dict) $own.settings $v.settings -}}
{{- if (regexMatch "(PASSWORD|API_KEY|API_KEYS|SECRET_KEY)$" $name) -}}
{{- $problems = append $problems (printf "settings.%s: a secret does not belong into the environment; use existingSecret, or %s_FILE" $name $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $most := ternary (int $v.ingest.replicas) (int $v.ingest.autoscaling.maxReplicas) (eq $v.autoscaling.mode "none") -}}
{{- if gt $most (int $v.kafka.partitions) -}}
{{- $problems = append $problems (printf "ingest would have up to %d replicas and kafka.partitions is %d: a partition has one reader, so the others would idle; raise the partitions or lower ingest's replicas" $most (int $v.kafka.partitions)) -}}
{{- end -}}

{{- with $v.embeddingWorker.model -}}
{{- if and .volume (not (or .dir .rerankerDir)) -}}
{{- $problems = append $problems "embeddingWorker.model.volume is mounted at /models, but neither model.dir nor model.rerankerDir names a folder in it" -}}
{{- end -}}
{{- end -}}
{{- with $v.generation.openai -}}
{{- if ne (empty .baseUrl) (empty .model) -}}
{{- $problems = append $problems "generation.openai: baseUrl and model go together" -}}
{{- end -}}
{{- end -}}
{{- if eq $v.tls.mode "existingSecrets" -}}
{{- range $component := include "headwater.tlsHolders" $root | fromJsonArray -}}
{{- $key := include "headwater.valuesKey" $component -}}
{{- if not (get $v.tls.existingSecrets $key) -}}
{{- $problems = append $problems (printf "tls.existingSecrets.%s is not set: name the secret with its tls.crt, tls.key and ca.crt" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) -}}
{{- $problems = append $problems "ingress.enabled needs ingress.hosts" -}}
{{- end -}}
{{- if and $v.gatewayApi.enabled (not $v.gatewayApi.parentRefs) -}}
{{- $problems = append $problems "gatewayApi.enabled needs gatewayApi.parentRefs: the Gateway that the routes attach to" -}}
{{- end -}}

{{- if and $v.gatewayApi.enabled $v.gatewayApi.grpc.enabled (or (empty $v.gatewayApi.grpc.hostnames) (empty $v.gatewayApi.hostnames)) -}}
{{- $problems = append $problems "gatewayApi.grpc.enabled needs gatewayApi.hostnames and other names in gatewayApi.grpc.hostnames: an HTTPRoute and a GRPCRoute cannot share a host" -}}
{{- end -}}

{{- if and $v.monitoring.podMonitor.enabled $v.monitoring.serviceMonitor.enabled -}}
{{- $problems = append $problems "monitoring.podMonitor and monitoring.serviceMonitor are both enabled: every pod would be scraped twice, and counted twice" -}}
{{- end -}}
{{- with $v.backup -}}
{{- if .enabled -}}
{{- if not .destination -}}
{{- $problems = append $problems "backup.enabled needs backup.destination: s3://bucket/prefix/, or a folder" -}}
{{- else if and (not (include "headwater.backupBucket" $root)) (empty .volume) -}}
{{- $problems = append $problems (printf "backup.destination %q is a folder: give backup.volume the volume that holds it" .destination) -}}
{{- end -}}
{{- if and .s3.accessKeyId (not .existingSecret) -}}
{{- $problems = append $problems "backup.s3.accessKeyId needs backup.existingSecret with its secret key" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if $problems -}}
{{- fail (printf "\n\nThese values cannot work:\n- %s\n" ($problems | uniq | join "\n- ")) -}}
{{- end -}}
{{- end }}
