# Generated from config/iam/accounts/*.json by `npm run generate`. Do not edit.
locals {
  trust_statements = [
    {
      Sid       = "AssumedByTheHub"
      Effect    = "Allow"
      Principal = { AWS = "arn:${local.partition}:iam::${local.hub_account}:root" }
      Action    = "sts:AssumeRole"
      Condition = var.external_id == "" ? { ArnEquals = { "aws:PrincipalArn" = var.hub_role_arn } } : { ArnEquals = { "aws:PrincipalArn" = var.hub_role_arn }, StringEquals = { "sts:ExternalId" = var.external_id } }
    },
    {
      Sid       = "TaggedByTheHub"
      Effect    = "Allow"
      Principal = { AWS = "arn:${local.partition}:iam::${local.hub_account}:root" }
      Action    = "sts:TagSession"
      Condition = { ArnEquals = { "aws:PrincipalArn" = var.hub_role_arn } }
    },
  ]

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
      Sid      = "NeverItself"
      Effect   = "Deny"
      Action   = "iam:UpdateAssumeRolePolicy"
      Resource = ["arn:${local.partition}:iam::${local.account}:role/irsa-operator-member", "arn:${local.partition}:iam::${local.account}:role/*/irsa-operator-member"]
    },
    {
      Sid    = "NeverRolesOfTheOrganization"
      Effect = "Deny"
      Action = "iam:UpdateAssumeRolePolicy"
      Resource = [
        "arn:${local.partition}:iam::${local.account}:role/OrganizationAccountAccessRole",
        "arn:${local.partition}:iam::${local.account}:role/*/OrganizationAccountAccessRole",
        "arn:${local.partition}:iam::${local.account}:role/AWSControlTowerExecution",
        "arn:${local.partition}:iam::${local.account}:role/*/AWSControlTowerExecution",
        "arn:${local.partition}:iam::${local.account}:role/AWSCloudFormationStackSetExecutionRole",
        "arn:${local.partition}:iam::${local.account}:role/*/AWSCloudFormationStackSetExecutionRole",
        "arn:${local.partition}:iam::${local.account}:role/stacksets-exec-*",
        "arn:${local.partition}:iam::${local.account}:role/*/stacksets-exec-*",
      ]
    },
  ]

  boundary_statements = [
    {
      Sid      = "AtMost"
      Effect   = "Allow"
      Action   = ["iam:ListRoles", "iam:ListOpenIDConnectProviders", "iam:GetAccountSummary", "iam:GetRole", "iam:GetOpenIDConnectProvider", "iam:UpdateAssumeRolePolicy"]
      Resource = "*"
    },
    {
      Sid      = "NeverItself"
      Effect   = "Deny"
      Action   = "iam:UpdateAssumeRolePolicy"
      Resource = ["arn:${local.partition}:iam::${local.account}:role/irsa-operator-member", "arn:${local.partition}:iam::${local.account}:role/*/irsa-operator-member"]
    },
    {
      Sid    = "NeverRolesOfTheOrganization"
      Effect = "Deny"
      Action = "iam:UpdateAssumeRolePolicy"
      Resource = [
        "arn:${local.partition}:iam::${local.account}:role/OrganizationAccountAccessRole",
        "arn:${local.partition}:iam::${local.account}:role/*/OrganizationAccountAccessRole",
        "arn:${local.partition}:iam::${local.account}:role/AWSControlTowerExecution",
        "arn:${local.partition}:iam::${local.account}:role/*/AWSControlTowerExecution",
        "arn:${local.partition}:iam::${local.account}:role/AWSCloudFormationStackSetExecutionRole",
        "arn:${local.partition}:iam::${local.account}:role/*/AWSCloudFormationStackSetExecutionRole",
        "arn:${local.partition}:iam::${local.account}:role/stacksets-exec-*",
        "arn:${local.partition}:iam::${local.account}:role/*/stacksets-exec-*",
      ]
    },
  ]
}
