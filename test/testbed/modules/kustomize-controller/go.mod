module irsa-operator.dev/testbed/kustomize-controller

go 1.26

require github.com/fluxcd/kustomize-controller v1.9.6
