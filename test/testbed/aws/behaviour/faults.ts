import { ownerIn } from '../arn.ts';
import { AwsError, throttling } from '../aws-error.ts';

/** What happens to a call instead of an answer, or of its own answer. */
const FAULTS = {
  /** IAM's own failure (`ServiceFailure`, 500). Nothing was done. */
  serviceFailure: { error: () => new AwsError('ServiceFailure', 500, 'The request processing has failed because of an unknown error.') },
  serviceUnavailable: { error: () => new AwsError('ServiceUnavailable', 503, 'Service is unavailable') },
  throttling: { error: throttling },
  /** As if the caller's identity policies did not allow the action. */
  accessDenied: { deniedBy: 'identity-based policy' },
  /** As if the organisation forbade the action. */
  deniedByServiceControlPolicy: { deniedBy: 'service control policy' },
  /** The call never arrives, and the caller learns it at once. */
  connectionReset: { lost: 'request', by: 'reset' },
  /** The call never arrives, and the caller never hears of it. */
  timeout: { lost: 'request', by: 'silence' },
  /** All was done as asked; only the answer is lost. */
  connectionResetAfterCommit: { lost: 'answer', by: 'reset' },
  timeoutAfterCommit: { lost: 'answer', by: 'silence' },
} as const satisfies Record<string, Fault>;

export type Fault = { readonly error: () => AwsError } | { readonly deniedBy: 'identity-based policy' | 'service control policy' } | Loss;

export interface Loss {
  readonly lost: 'request' | 'answer';
  readonly by: 'reset' | 'silence';
}

export interface ScriptedFault {
  /** An error is the answer itself: what no state of this double brings about. */
  readonly kind: keyof typeof FAULTS | AwsError;
  /** All services when not given: `iam` alone is an outage of IAM while STS is up. */
  readonly service?: 'iam' | 'sts' | 'eks';
  /** All operations when not given. */
  readonly operation?: string;
  /** Only calls of callers in this account, and those that assume a role in it. */
  readonly account?: string;
  /** Only calls that name this role, by `RoleName` or by the end of `RoleArn`. */
  readonly roleName?: string;
  /** One when not given; `Number.POSITIVE_INFINITY` until it is ended. */
  readonly times?: number;
}

/** A fault that was put into the script. */
export interface RunningFault {
  /** Calls that met it. */
  readonly met: number;
  end(): void;
}

interface CallInQuestion {
  /** Of whoever calls; empty for a call without a signature. */
  readonly account: string;
  readonly service: string;
  readonly operation: string;
  readonly params: ReadonlyMap<string, string>;
}

export interface FaultScript {
  next(fault: ScriptedFault): RunningFault;
  /** Ends all that are left. */
  clear(): void;
  /** The fault that this call meets, which counts as one of its times. The oldest that fits wins. */
  meet(call: CallInQuestion): Fault | undefined;
}

export function createFaultScript(): FaultScript {
  const running: { fault: ScriptedFault; met: number }[] = [];
  const end = (one: (typeof running)[number]): void => {
    const index = running.indexOf(one);
    if (index >= 0) running.splice(index, 1);
  };
  return {
    next(fault) {
      const one = { fault, met: 0 };
      running.push(one);
      return {
        get met() {
          return one.met;
        },
        end: () => end(one),
      };
    },
    clear: () => void running.splice(0),
    meet(call) {
      const one = running.find(({ fault }) => fits(fault, call));
      if (one === undefined) return undefined;
      one.met += 1;
      if (one.met >= (one.fault.times ?? 1)) end(one);
      const { kind } = one.fault;
      return kind instanceof AwsError ? { error: () => kind } : FAULTS[kind];
    },
  };
}

function fits(fault: ScriptedFault, { account, service, operation, params }: CallInQuestion): boolean {
  const roleArn = params.get('RoleArn') ?? '';
  const role = params.get('RoleName') ?? roleArn.split('/').at(-1);
  return (
    (fault.account === undefined || fault.account === account || fault.account === ownerIn(roleArn)?.id) &&
    (fault.service === undefined || fault.service === service) &&
    (fault.operation === undefined || fault.operation === operation) &&
    (fault.roleName === undefined || fault.roleName === role)
  );
}
