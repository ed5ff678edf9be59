# Generated from config/iam/*.json by `npm run generate`. Do not edit.
locals {
  statements = [
    {
      Sid      = "ListTheAccount"
      Effect   = "Allow"
      Action   = ["iam:ListRoles", "iam:ListOpenIDConnectProviders", "iam:GetAccountSummary"]
      Resource = "*"
    },
    {
      Sid      = "ReadRoles"
      Effect   = "Allow"
      Action   = "iam:GetRole"
      Resource = "arn:${local.partition}:iam::${local.account}:role/*"
    },
    {
      Sid      = "ReadProviders"
      Effect   = "Allow"
      Action   = "iam:GetOpenIDConnectProvider"
      Resource = "arn:${local.partition}:iam::${local.account}:oidc-provider/*"
    },
    {
      Sid      = "WriteTrustPolicies"
      Effect   = "Allow"
      Action   = "iam:UpdateAssumeRolePolicy"
      Resource = "arn:${local.partition}:iam::${local.account}:role/*"
    },
    {
      Sid      = "CrossCheckTheIssuer"
      Effect   = "Allow"
      Action   = "eks:DescribeCluster"
      Resource = "arn:${local.partition}:eks:*:${local.account}:cluster/*"
    },
    {
      Sid      = "NeverItself"
      Effect   = "Deny"
      Action   = "iam:UpdateAssumeRolePolicy"
      Resource = ["arn:${local.partition}:iam::${local.account}:role/${var.name}", "arn:${local.partition}:iam::${local.account}:role/*/${var.name}"]
    },
  ]

  manage_oidc_provider_statements = [
    {
      Sid      = "RegisterTheProvider"
      Effect   = "Allow"
      Action   = "iam:CreateOpenIDConnectProvider"
      Resource = "arn:${local.partition}:iam::${local.account}:oidc-provider/${var.manage_oidc_provider}"
    },
  ]
}
