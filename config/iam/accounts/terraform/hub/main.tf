# Lets the role of irsa-operator assume the member roles of other accounts.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.31"
    }
  }
}

variable "role_name" {
  description = "The name of irsa-operator's own role."
  type        = string
  default     = "irsa-operator"
}

variable "accounts" {
  description = "The accounts of the member roles. Unset: every account of the hub's organization."
  type        = list(string)
  default     = null

  validation {
    condition     = var.accounts == null ? true : length(var.accounts) > 0
    error_message = "An empty list names no account. Leave it unset for every account of the organization."
  }
  validation {
    condition     = alltrue([for account in coalesce(var.accounts, []) : can(regex("^[0-9]{12}$", account))])
    error_message = "An account has 12 digits."
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

locals {
  partition = data.aws_partition.current.partition
  accounts  = var.accounts == null ? [] : var.accounts
}

resource "aws_iam_role_policy" "accounts" {
  name = "irsa-operator-accounts"
  role = var.role_name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      var.accounts == null ? local.organization_statements : [],
      var.accounts == null ? [] : local.account_statements,
    )
  })
}
