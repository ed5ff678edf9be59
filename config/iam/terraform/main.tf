# The IAM role of irsa-operator, given to it by EKS Pod Identity.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.31"
    }
  }
}

variable "name" {
  description = "The name of the role. irsa-operator never writes the trust policy of this role."
  type        = string
  default     = "irsa-operator"
}

variable "cluster_name" {
  description = "The EKS cluster that gets the role. Empty: no association is created."
  type        = string
  default     = ""
}

variable "namespace" {
  description = "The namespace of irsa-operator."
  type        = string
  default     = "irsa-operator-system"
}

variable "service_account" {
  description = "The ServiceAccount of irsa-operator."
  type        = string
  default     = "irsa-operator"
}

variable "manage_oidc_provider" {
  description = "With --manage-oidc-provider: the issuer of the cluster, without https://. Empty: it creates no provider."
  type        = string
  default     = ""
}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
}

resource "aws_iam_role" "irsa_operator" {
  name = var.name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })
}

resource "aws_iam_role_policy" "irsa_operator" {
  name = "irsa-operator"
  role = aws_iam_role.irsa_operator.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.statements, var.manage_oidc_provider == "" ? [] : local.manage_oidc_provider_statements)
  })
}

resource "aws_eks_pod_identity_association" "irsa_operator" {
  count = var.cluster_name == "" ? 0 : 1

  cluster_name    = var.cluster_name
  namespace       = var.namespace
  service_account = var.service_account
  role_arn        = aws_iam_role.irsa_operator.arn
}

output "role_arn" {
  value = aws_iam_role.irsa_operator.arn
}
