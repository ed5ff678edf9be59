/** AWS's codes, without the suffix `Exception`, that say of this token and this role "no". With any other code the call itself failed. */
export const STS_REFUSAL_CODES = [
  'AccessDenied',
  'InvalidIdentityToken',
  'IDPCommunicationError',
  'IDPRejectedClaim',
  'ExpiredToken',
  'RegionDisabled',
  'ValidationError',
] as const;

export interface StsRefusal {
  readonly code: (typeof STS_REFUSAL_CODES)[number];
  /** AWS's own words; it quotes no token. */
  readonly message: string;
}
