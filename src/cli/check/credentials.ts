import { word } from '../../domain/check/shell.ts';

/** What the AWS SDK says where a person has to log in, and the line that does it. Undefined: it is something else. */
export function howToLogIn(said: string, profile: string | undefined): string | undefined {
  const [name, option] = profile === undefined ? ['the default profile', ''] : [`profile "${profile}"`, ` --profile ${word(profile)}`];
  // Its sentence says it without the profile, and differs with the provider: https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
  if (/\baws sso login\b/i.test(said)) return `the SSO session of ${name} is over. Log in: aws sso login${option}`;
  if (/\baws login\b|session has expired\. Please reauthenticate|\.aws\/login\/cache\//i.test(said))
    return `the session of ${name} is over. Log in: aws login${option}`;
  if (/multi-factor authentication/i.test(said))
    return `${name} asks for a code of MFA, which only aws can ask you for. Run: eval "$(aws configure export-credentials${option} --format env)"`;
  if (/\bExpiredToken\b/.test(said))
    return `the credentials of ${profile === undefined ? 'the environment' : name} have expired. Get new ones`;
  if (/Could not load credentials from any providers/.test(said))
    return profile === undefined ? 'there are no AWS credentials. Name a profile with --profile, or log in' : `${name} has no credentials`;
  if (/\bRegion is missing\b/.test(said)) return 'no AWS region is set. Name one with --region';
  return undefined;
}
