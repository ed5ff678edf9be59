/** An answer that is an error: the code and the sentence as they go over the wire (IAM user guide, "Common errors"; the API models). */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
  }
}

export const noSuchEntity = (message: string): AwsError => new AwsError('NoSuchEntity', 404, message);
export const alreadyExists = (message: string): AwsError => new AwsError('EntityAlreadyExists', 409, message);
export const limitExceeded = (quota: string, limit: number): AwsError =>
  new AwsError('LimitExceeded', 409, `Cannot exceed quota for ${quota}: ${limit}`);
export const malformedPolicy = (message: string): AwsError => new AwsError('MalformedPolicyDocument', 400, message);
export const invalidInput = (message: string): AwsError => new AwsError('InvalidInput', 400, message);
/** What IAM says when it cannot connect to the URL of a provider (IAM API reference, CreateOpenIDConnectProvider). The sentence is from reports of users. */
export const notReached = (url: string): AwsError =>
  new AwsError('OpenIdIdpCommunicationError', 400, `Please check .well-known/openid-configuration of provider: ${url} is valid`);
export const validationError = (message: string): AwsError => new AwsError('ValidationError', 400, message);
/** What keys are told that belong to nobody, or no longer. */
export const invalidClientToken = (): AwsError =>
  new AwsError('InvalidClientTokenId', 403, 'The security token included in the request is invalid');
/** What a caller is told that AWS does not know. */
export const notAuthorized = ({ service, operation }: { service: string; operation: string }): AwsError =>
  new AwsError('AccessDenied', 403, `Not authorized to perform ${service}:${operation}`);
export const throttling = (): AwsError => new AwsError('Throttling', 400, 'Rate exceeded');
export const unmodifiable = (role: string): AwsError =>
  new AwsError(
    'UnmodifiableEntity',
    400,
    `Cannot perform the operation on the protected role '${role}' - this role is only modifiable by AWS`,
  );
