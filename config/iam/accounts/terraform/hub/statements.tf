# Generated from config/iam/accounts/*.json by `npm run generate`. Do not edit.
locals {
  organization_statements = [
    {
      Sid       = "AssumeMembers"
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Resource  = "arn:${local.partition}:iam::*:role${var.role_path}irsa-operator-member"
      Condition = { StringEquals = { "aws:ResourceOrgID" = "$${aws:PrincipalOrgID}" } }
    },
  ]

  account_statements = [
    {
      Sid      = "AssumeMembers"
      Effect   = "Allow"
      Action   = ["sts:AssumeRole", "sts:TagSession"]
      Resource = [for account in local.accounts : "arn:${local.partition}:iam::${account}:role${var.role_path}irsa-operator-member"]
    },
  ]
}
