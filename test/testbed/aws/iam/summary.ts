import { accountOfCaller, type Operation } from '../operation.ts';

/** Documented defaults of an account (IAM user guide, "IAM and AWS STS quotas"), for whatever the double does not keep itself. */
const DEFAULTS = {
  AccessKeysPerUserQuota: 2,
  AccountAccessKeysPresent: 0,
  AccountMFAEnabled: 0,
  AccountPasswordPresent: 1,
  AccountSigningCertificatesPresent: 0,
  AttachedPoliciesPerGroupQuota: 10,
  AttachedPoliciesPerRoleQuota: 10,
  AttachedPoliciesPerUserQuota: 10,
  GlobalEndpointTokenVersion: 1,
  GroupPolicySizeQuota: 5_120,
  Groups: 0,
  GroupsPerUserQuota: 10,
  GroupsQuota: 300,
  InstanceProfiles: 0,
  InstanceProfilesQuota: 1_000,
  MFADevices: 0,
  MFADevicesInUse: 0,
  Policies: 0,
  PoliciesQuota: 1_500,
  PolicySizeQuota: 6_144,
  PolicyVersionsInUse: 0,
  PolicyVersionsInUseQuota: 10_000,
  RolePolicySizeQuota: 10_240,
  RolesQuota: 1_000,
  ServerCertificates: 0,
  ServerCertificatesQuota: 20,
  SigningCertificatesPerUserQuota: 2,
  UserPolicySizeQuota: 2_048,
  UsersQuota: 5_000,
  VersionsPerPolicyQuota: 5,
};

export const getAccountSummary: Operation = (call) => {
  const account = accountOfCaller(call);
  const summary = {
    ...DEFAULTS,
    AssumeRolePolicySizeQuota: account.trustPolicyQuota,
    Providers: account.providers.size,
    Roles: account.roles.size,
    Users: account.users.size,
  };
  return { SummaryMap: new Map(Object.entries(summary)) };
};
