#!/bin/sh
# `make kind`: a cluster of kind.yaml. NOT TRIED beyond its checks: where this was written there was no container engine.
set -eu
folder=$(cd "$(dirname "$0")" && pwd)
kubeconfig=${XDG_CACHE_HOME:-$HOME/.cache}/irsa-operator/kind.kubeconfig

if ! docker info >/dev/null 2>&1 && ! podman info >/dev/null 2>&1; then
  echo 'make kind needs a container engine, and neither "docker info" nor "podman info" answers: start Docker or Podman, or use "make testbed", which needs none' >&2
  exit 1
fi
if ! command -v kind >/dev/null; then
  echo 'make kind needs "kind" in PATH: install it from https://kind.sigs.k8s.io/docs/user/quick-start/, or use "make testbed", which needs none' >&2
  exit 1
fi

mkdir -p "$(dirname "$kubeconfig")"
kind create cluster --config "$folder/kind.yaml" --kubeconfig "$kubeconfig"
cat <<END

The cluster runs. What the tests need besides, and what you install yourself:
  1. the EKS webhook:  https://github.com/aws/amazon-eks-pod-identity-webhook (deploy/, needs cert-manager)
  2. kwok, for the node "kwok-0" on which the tests' pods are placed:  https://kwok.sigs.k8s.io/docs/user/installation/
     Its pod stages must leave out pods with the label testbed.irsa-operator.dev/workload (see control-plane/kwok.ts).
Then:  export TESTBED_KUBECONFIG='$kubeconfig'  and  make test
The end:  kind delete cluster --name irsa-operator
END
