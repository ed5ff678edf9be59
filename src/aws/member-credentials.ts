import { AssumeRoleCommand, type STSClient } from '@aws-sdk/client-sts';
import type { RoleArn } from '../api/arn.ts';
import { Fault, isFault } from '../api/fault.ts';
import type { Clock } from '../runtime/clock.ts';
import type { AwsCalls } from './calls.ts';

/** The role of another account that the operator assumes for the roles there. */
export interface Member {
  readonly roleArn: RoleArn;
  readonly externalId: string | undefined;
}

/** As the SDK takes them (`AwsCredentialIdentity`). */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  readonly expiration: Date;
}

interface Session {
  readonly credentials: Credentials;
  /** Monotonic milliseconds. */
  readonly renewAt: number;
  readonly endsAt: number;
}

/** The most that STS gives to a session that assumes another role (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining). */
const SESSION_SECONDS = 3_600;
/** Time for some failures before any call would fail for it. */
const RENEW_BEFORE_END_MS = 600_000;
/** After a renewal that failed, while the session lasts. */
const RETRY_MS = 30_000;
/** A call that is sent with a session still has to arrive. */
const LAST_USE_MS = 15_000;
/** The SDK keeps credentials by the wall clock, which may jump. Those that ended long ago it asks for again before each call, and uses all the same. */
const ASK_BEFORE_EACH_CALL = new Date(0);
/** AWS does not take the session any more: it ended, or its role was made again. */
const SESSION_OVER: ReadonlySet<string> = new Set(['ExpiredToken', 'InvalidClientTokenId']);

export interface MemberCredentialsOptions {
  readonly member: Member;
  /** With the operator's own credentials. */
  readonly sts: Pick<STSClient, 'send'>;
  readonly call: AwsCalls;
  /** What CloudTrail shows: always the same for one cluster. */
  readonly sessionName: string;
  /** The session may do no more than this, whatever the role may. */
  readonly sessionPolicy: string;
  readonly clock: Clock;
  /** Of the process. What one caller gives up, another waits for. */
  readonly stop: AbortSignal;
}

/** Sessions of one member role, renewed before they end: one call at a time, and the session that lasts goes on while it fails. */
export class MemberCredentials {
  readonly #o: MemberCredentialsOptions;
  #session: Session | undefined;
  #renewing: Promise<Session> | undefined;
  #retryAt = Number.NEGATIVE_INFINITY;

  constructor(options: MemberCredentialsOptions) {
    this.#o = options;
  }

  /** For the clients of the SDK. What STS refused is about our credentials, and says nothing of what they are needed for: a transient `Fault`. */
  readonly provider = async (): Promise<Credentials> => {
    try {
      return await this.get();
    } catch (error) {
      if (!isFault(error, 'denied')) throw error;
      throw new Fault('transient', `no credentials: ${error.message}`, { code: 'OwnCredentials', cause: error, told: error.told });
    }
  };

  /** Throws `Fault`, as STS answered. */
  async get(): Promise<Credentials> {
    const session = this.#session;
    const now = this.#o.clock.monotonic();
    if (session !== undefined && now < Math.max(session.renewAt, this.#retryAt)) return session.credentials;
    this.#renewing ??= this.#assume().finally(() => {
      this.#renewing = undefined;
    });
    try {
      return (await this.#renewing).credentials;
    } catch (error) {
      const left = this.#session;
      if (left === undefined || left.endsAt - LAST_USE_MS <= this.#o.clock.monotonic()) throw error;
      this.#retryAt = Math.min(this.#o.clock.monotonic() + RETRY_MS, left.endsAt - LAST_USE_MS);
      return left.credentials;
    }
  }

  /** Calls with these credentials: after a session that AWS does not take any more comes another one. */
  readonly call: AwsCalls = async (call) => {
    const used = this.#session;
    try {
      return await this.#o.call(call);
    } catch (error) {
      if (isFault(error) && SESSION_OVER.has(error.code ?? '') && this.#session === used) this.#session = undefined;
      throw error;
    }
  };

  async #assume(): Promise<Session> {
    const { member, sts, call, sessionName, sessionPolicy, clock, stop } = this.#o;
    const began = clock.monotonic();
    const { Credentials: found } = await call({
      service: 'sts',
      operation: 'AssumeRole',
      of: `role "${member.roleArn}"`,
      signal: stop,
      send: (options) =>
        sts.send(
          new AssumeRoleCommand({
            RoleArn: member.roleArn,
            RoleSessionName: sessionName,
            DurationSeconds: SESSION_SECONDS,
            Policy: sessionPolicy,
            ...(member.externalId !== undefined && { ExternalId: member.externalId }),
          }),
          options,
        ),
    });
    const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = found ?? {};
    if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined)
      throw new Fault('transient', `sts:AssumeRole of role "${member.roleArn}" answered without credentials`);
    const endsAt = began + SESSION_SECONDS * 1_000;
    const credentials = { accessKeyId, secretAccessKey, sessionToken, expiration: ASK_BEFORE_EACH_CALL };
    this.#session = { credentials, renewAt: endsAt - RENEW_BEFORE_END_MS, endsAt };
    this.#retryAt = Number.NEGATIVE_INFINITY;
    return this.#session;
  }
}
