#!/bin/sh
# Makes go.mod and go.sum of the testbed's Go modules anew. To move a version, change it at the end of this file, run this, commit the result.
# They are generated because k8s.io/kubernetes requires its staging modules at v0.0.0: each must be replaced by its published twin.
set -eu
cd "$(dirname "$0")"
export GOTOOLCHAIN=local GOFLAGS= GOWORK=off

# generate FOLDER MODULE VERSION PACKAGE...
generate() {
  folder=$1 module=$2 version=$3
  shift 3
  mkdir -p "$folder"
  (
    cd "$folder"
    rm -f go.mod go.sum
    go mod init "irsa-operator.dev/testbed/$folder"
    go mod edit -go=1.26
    if [ "$module" = k8s.io/kubernetes ]; then replace_staging "$version"; fi
    go mod edit -require "$module@$version"
    for package in "$@"; do go mod edit -tool "$package"; done
    go mod tidy
  )
}

# Kubernetes v1.36.3 goes with v0.36.3 of k8s.io/api and its sisters.
replace_staging() {
  go list -m -f '{{.GoMod}}' "k8s.io/kubernetes@$1" | xargs sed -n 's#^[[:space:]]*\(k8s.io/[a-z-]*\) => ./staging/.*#\1#p' |
    while read -r sister; do go mod edit -replace "$sister=$sister@v0.${1#v1.}"; done
}

generate etcd go.etcd.io/etcd/server/v3 v3.6.15 go.etcd.io/etcd/server/v3
generate webhook github.com/aws/amazon-eks-pod-identity-webhook v0.6.17 github.com/aws/amazon-eks-pod-identity-webhook
generate crane github.com/google/go-containerregistry v0.22.1 github.com/google/go-containerregistry/cmd/crane
generate kwok sigs.k8s.io/kwok v0.8.0 sigs.k8s.io/kwok/cmd/kwok
# The first is what tests run on, the others are those of make matrix.
for at in kubernetes=v1.36.3 kubernetes-1.33=v1.33.13 kubernetes-1.34=v1.34.4 kubernetes-1.35=v1.35.4 kubernetes-1.37=v1.37.2; do
  generate "${at%%=*}" k8s.io/kubernetes "${at#*=}" \
    k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kubectl
done
generate helm helm.sh/helm/v4 v4.3.1 helm.sh/helm/v4/cmd/helm
generate actionlint github.com/rhysd/actionlint v1.7.12 github.com/rhysd/actionlint/cmd/actionlint
generate hcldec github.com/hashicorp/hcl/v2 v2.24.0 github.com/hashicorp/hcl/v2/cmd/hcldec

generate kubeconform github.com/yannh/kubeconform v0.8.0 github.com/yannh/kubeconform/cmd/kubeconform

# with_code FOLDER MODULE@VERSION...: the folder has a program of its own.
with_code() {
  folder=$1
  shift
  (
    cd "$folder"
    rm -f go.mod go.sum
    go mod init "irsa-operator.dev/testbed/$folder"
    go mod edit -go=1.26
    for module in "$@"; do go mod edit -require "$module"; done
    go mod tidy
  )
}

with_code argocd-lua github.com/yuin/gopher-lua@v1.1.2 layeh.com/gopher-json@v0.0.0-20190114024228-97fed8db8427
with_code kstatus sigs.k8s.io/cli-utils@v0.37.2

# files FOLDER MODULE VERSION: nothing of it is built, its CRDs are read.
files() {
  mkdir -p "$1"
  (
    cd "$1"
    rm -f go.mod go.sum
    go mod init "irsa-operator.dev/testbed/$1"
    go mod edit -go=1.26 -require "$2@$3"
    go mod download -json "$2"
  )
}

files prometheus-operator github.com/prometheus-operator/prometheus-operator v0.94.0
files argo-cd github.com/argoproj/argo-cd/v3 v3.5.7
files kustomize-controller github.com/fluxcd/kustomize-controller v1.9.6
files source-controller github.com/fluxcd/source-controller v1.9.6
