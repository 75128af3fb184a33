#!/usr/bin/env bash
# usage: deploy/certificates/make.sh FOLDER [RELEASE=headwater] [NAMESPACE=default] [DAYS=90]
# Certificates for trying out TLS between the services without cert-manager: a CA of its own, and for each component a
# folder with tls.crt, tls.key and ca.crt, as HEADWATER_TLS_DIR wants it. Beside them secrets.yaml for kubectl, and
# values.yaml for helm. Run again, it keeps the CA and makes the others anew, which is how they are renewed:
#   deploy/certificates/make.sh ~/headwater-tls headwater rag
#   kubectl --namespace rag apply --filename ~/headwater-tls/secrets.yaml
#   helm upgrade --install headwater helm/headwater --namespace rag --values … --values ~/headwater-tls/values.yaml
# The folder holds keys: keep it to yourself. In production let cert-manager do it (tls.mode=certManager).
set -euo pipefail
umask 077
folder=$(mkdir -p "${1:?usage: make.sh FOLDER [RELEASE] [NAMESPACE] [DAYS]}" && cd "$1" && pwd)
release=${2:-headwater} namespace=${3:-default} days=${4:-90}
# As the chart names its objects.
fullname=$release
[[ $release == *headwater* ]] || fullname=$release-headwater

quietly() { openssl "$@" 2>"$folder/openssl.log" || { cat "$folder/openssl.log" >&2; exit 1; }; }
key() { quietly genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

if [ ! -f "$folder/ca.key" ]; then
  key "$folder/ca.key"
  quietly req -x509 -new -key "$folder/ca.key" -subj "/CN=$fullname-ca" -days 3650 -out "$folder/ca.crt" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
fi

certificate() { # COMPONENT DNS_NAME…
  local component=$1 own=$folder/$1 names
  shift
  mkdir -p "$own"
  names=$(printf ',DNS:%s' "$@")
  key "$own/tls.key"
  quietly req -new -key "$own/tls.key" -subj "/CN=$fullname-$component" -out "$own/request.csr"
  printf '%s\n' "subjectAltName=${names:1}" keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth,clientAuth \
    authorityKeyIdentifier=keyid >"$own/extensions"
  quietly x509 -req -in "$own/request.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -days "$days" \
    -extfile "$own/extensions" -out "$own/tls.crt"
  cp "$folder/ca.crt" "$own/ca.crt"
  rm "$own/request.csr" "$own/extensions"
}

encoded() { base64 <"$1" | tr -d '\n'; }

components=(ingest embedding-worker search generation gateway scaler keda)
printf 'tls:\n  mode: existingSecrets\n  existingSecrets:\n' >"$folder/values.yaml"
: >"$folder/secrets.yaml"
for component in "${components[@]}"; do
  name=$fullname-$component
  names=("$name.$namespace.svc" "$name" "$name.$namespace" "$name.$namespace.svc.cluster.local")
  [ "$component" != gateway ] || names+=("$name-load.$namespace.svc")
  certificate "$component" "${names[@]}"
  cat >>"$folder/secrets.yaml" <<secret
---
apiVersion: v1
kind: Secret
metadata:
  name: $name-certificate
  namespace: $namespace
type: kubernetes.io/tls
data:
  tls.crt: $(encoded "$folder/$component/tls.crt")
  tls.key: $(encoded "$folder/$component/tls.key")
  ca.crt: $(encoded "$folder/$component/ca.crt")
secret
  values_key=$component
  [ "$component" != embedding-worker ] || values_key=embeddingWorker
  printf '    %s: %s-certificate\n' "$values_key" "$name" >>"$folder/values.yaml"
done
rm -f "$folder/openssl.log"
echo "Certificates for $days days of $fullname in $namespace: $folder"
