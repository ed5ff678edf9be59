import { isDeepStrictEqual } from 'node:util';
import { ACCOUNT_CONDITIONS, type AccountConditionType, type AccountStatus, type IrsaAccount } from '../../api/account.ts';
import { type AccountId, arnOwner } from '../../api/arn.ts';
import { type Assessment, conditionsOf } from '../../api/condition.ts';
import { isFault } from '../../api/fault.ts';
import { isProblem } from '../../api/problem.ts';
import type { AccountView } from '../../domain/state/account.ts';
import { accessFrom, mayEnter } from '../../domain/state/account-access.ts';
import { mayPass } from '../../domain/state/identify.ts';
import { type Controller, recheck, settled, wakeEvery, wakeOn } from '../../runtime/controller.ts';
import { identityOf } from '../observe.ts';
import type { AccountOptions } from './ports.ts';

/** Who we are there, and the quota, change seldom. */
const RECHECK_MS = 300_000;
/** A person is at work on it: on the trust policy of the role, or on the organization. */
const REFUSED_RECHECK_MS = 60_000;

/** Gets into the accounts that objects name, and keeps what is known of each. The key is the account. The own one is the cluster controller's. */
export function accountController({ stores, owned, ports, clock }: AccountOptions): Controller<AccountId> {
  const every = () => stores.irsaAccounts.list().map(({ account }) => account);
  return {
    name: 'account',
    wakes: [
      wakeOn(stores.irsaAccounts, ({ account }) => [account], { when: (a, b) => a.generation !== b.generation || a.uid !== b.uid }),
      wakeEvery(stores.identity, every),
    ],
    async reconcile(account, signal, { log, urgency, failures }) {
      const { caller, cluster } = identityOf(stores);
      if (caller.kind === 'unknown' || cluster.kind === 'unknown') return settled;
      const found = stores.irsaAccounts.get(account);
      const isOwn = account === caller.account;
      if (found === undefined) {
        if (isOwn) return settled;
        owned.accounts.delete(account);
        ports.leave(account);
        return settled;
      }
      const before = stores.accounts.get(account);
      const put = async (view: AccountView) => {
        if (!isOwn && !isDeepStrictEqual(before, view)) owned.accounts.put(view);
        const status = statusOf(found, view, clock.now());
        if (!isDeepStrictEqual(found.status, status)) await ports.report(found, status, signal);
      };
      if (isOwn) {
        await put(before ?? { account, access: { kind: 'unknown', why: 'it was not asked yet' } });
        return recheck(RECHECK_MS, 'whether the own account is as before');
      }
      const unasked = mayEnter(found, caller.arn);
      if (unasked.kind === 'refused') {
        await put({ account, access: unasked });
        return settled;
      }
      const [entered] = await Promise.allSettled([ports.enter(unasked.spec, cluster.issuer, signal)]);
      signal.throwIfAborted();
      // Credentials of another account than the one that is meant are not used.
      const isMeant = entered.status === 'fulfilled' && arnOwner(entered.value)?.account === account;
      const [quota] = isMeant ? await Promise.allSettled([ports.policyQuota(account, signal, urgency)]) : [undefined];
      signal.throwIfAborted();
      const access = accessFrom(found, entered, quota, before?.access);
      if (access.kind === 'refused' && failures === 0 && entered.status === 'rejected' && before?.access.kind !== 'refused')
        log.warn({ account, err: entered.reason }, 'account refuses irsa-operator');
      await put({ account, access });
      for (const answer of [entered, quota]) if (answer?.status === 'rejected' && mayRetry(answer.reason)) throw answer.reason;
      return access.kind === 'refused'
        ? recheck(REFUSED_RECHECK_MS, 'whether the account accepts irsa-operator')
        : recheck(RECHECK_MS, 'whether the account still accepts irsa-operator');
    },
  };
}

const mayRetry = (reason: unknown): boolean => !isFault(reason) || mayPass(reason);

function statusOf({ generation, spec, status }: IrsaAccount, { access }: AccountView, now: number): AccountStatus {
  const conditions = conditionsOf<AccountConditionType>(
    ACCOUNT_CONDITIONS,
    assess(access, isProblem(spec)),
    status.conditions,
    generation,
    now,
  );
  if (access.kind !== 'reached') return { observedGeneration: generation, conditions };
  const { callerArn, policyQuota } = access;
  return { observedGeneration: generation, callerArn, ...(policyQuota !== undefined && { trustPolicyQuota: policyQuota }), conditions };
}

function assess(access: AccountView['access'], isInvalid: boolean): Partial<Record<AccountConditionType, Assessment>> {
  switch (access.kind) {
    case 'reached': {
      const message = `irsa-operator is "${access.callerArn}" there`;
      return { Ready: { status: 'True', reason: 'Ready', message }, Reachable: { status: 'True', reason: 'Reached', message } };
    }
    case 'unknown': {
      const told = { reason: 'Asking', message: access.why };
      return {
        Ready: { status: 'Unknown', ...told },
        Reachable: { status: 'Unknown', ...told },
        Reconciling: { status: 'True', reason: 'Asking', message: 'see condition Reachable' },
      };
    }
    case 'refused': {
      const { code: reason, message } = access.finding;
      return {
        Ready: { status: 'False', reason, message: `${message}` },
        Reachable: { status: isInvalid ? 'Unknown' : 'False', reason, message },
        Stalled: { status: 'True', reason, message: 'see condition Reachable' },
      };
    }
  }
}
