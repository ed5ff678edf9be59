# The role of this account that irsa-operator assumes from the account of its cluster.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.31"
    }
  }
}

variable "hub_role_arn" {
  description = "The ARN of irsa-operator's own role, with its path."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::[0-9]{12}:role/([A-Za-z0-9+=,.@_-]+/)*[A-Za-z0-9+=,.@_-]+$", var.hub_role_arn))
    error_message = "The ARN of one role, without a wildcard."
  }
}

variable "external_id" {
  description = "The external ID that irsa-operator has to send. Empty: none."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^([A-Za-z0-9_+=,.@:/-]{2,})?$", var.external_id)) && length(var.external_id) <= 1224
    error_message = "An external ID has 2 to 1224 characters of A-Z, a-z, 0-9 and _+=,.@:/-."
  }
}

variable "role_path" {
  description = "The path of the member roles, the same in each account."
  type        = string
  default     = "/"

  validation {
    condition     = can(regex("^/([A-Za-z0-9+=,.@_-]+/)*$", var.role_path))
    error_message = "A path begins and ends with a slash, and has no wildcard."
  }
}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  partition   = data.aws_partition.current.partition
  account     = data.aws_caller_identity.current.account_id
  hub_account = split(":", var.hub_role_arn)[4]
}

resource "aws_iam_policy" "boundary" {
  name        = "irsa-operator-member-boundary"
  path        = var.role_path
  description = "The most that irsa-operator-member may do."
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.boundary_statements
  })
}

resource "aws_iam_role" "member" {
  name                 = "irsa-operator-member"
  path                 = var.role_path
  permissions_boundary = aws_iam_policy.boundary.arn
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.trust_statements
  })
}

resource "aws_iam_role_policy" "member" {
  name = "irsa-operator-member"
  role = aws_iam_role.member.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = local.statements
  })
}

output "role_arn" {
  value = aws_iam_role.member.arn
}
