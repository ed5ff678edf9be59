import { isDeepStrictEqual } from 'node:util';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectKey } from '../../api/cluster.ts';
import { isFault } from '../../api/fault.ts';
import { isProblem } from '../../api/problem.ts';
import { serviceAccountIn } from '../../api/subject.ts';
import type { RoleRecord } from '../../domain/state/role-record.ts';
import { afterAnswer, askedAnew, askNextAt, type Proof, proofOf, verificationOf, withTrouble } from '../../domain/verification/proof.ts';
import { type Controller, type Outcome, recheck, settled, wakeEvery, wakeOn } from '../../runtime/controller.ts';
import type { OwnedStores } from '../stores.ts';
import { namespaceOf } from '../tenants.ts';
import { gather } from './gather.ts';
import type { VerificationOptions } from './ports.ts';

/** The contract's budget of five proofs a second, one by one: the account, its STS and its trail are other people's too. */
export const PROOFS = { perSecond: 5, burst: 1 };

/** Proves by STS that a role lets a ServiceAccount in, where binding and grant ask for it. The waits of a proof are rechecks: it takes many rounds, and holds no worker between them. */
export function verificationController({ stores, owned, ask, limiter, clock }: VerificationOptions): Controller<ObjectKey> {
  const asking = (bindings: readonly IrsaBinding[]) => bindings.filter(asksForProof).map(({ metadata }) => keyOf(metadata));
  const every = () => asking(stores.bindings.list());
  const askingKey = (key: ObjectKey) => {
    const binding = stores.bindings.get(key);
    return binding !== undefined && asksForProof(binding) ? [key] : [];
  };
  const ofSubject = (subject: string) => {
    const account = serviceAccountIn(subject);
    return account === undefined ? [] : stores.competitions.concerned(keyOf(account)).flatMap(askingKey);
  };
  return {
    name: 'verification',
    tenantsOf: namespaceOf,
    wakes: [
      wakeOn(stores.bindings, ({ metadata }) => [keyOf(metadata)], {
        when: (previous, next) => asksForProof(previous) || asksForProof(next),
      }),
      stores.competitions.wake(askingKey),
      wakeEvery(stores.grants, every),
      wakeOn(stores.fullGrants, ({ binding }) => stores.competitions.around(binding).flatMap(askingKey)),
      wakeOn(stores.namespaces, ({ name }) => asking(stores.bindings.byIndex('namespace', name)), {
        when: (previous, next) => !isDeepStrictEqual(previous.labels, next.labels),
      }),
      wakeOn(stores.serviceAccounts, (account) => stores.competitions.concerned(keyOf(account)).flatMap(askingKey), {
        when: (previous, next) => previous.uid !== next.uid,
      }),
      wakeOn(stores.verdicts, ({ question }) => ofSubject(question.subject)),
      wakeOn(stores.roles, ({ arn }) => asking(stores.bindings.byIndex('role', arn)), {
        when: (previous, next) => !isDeepStrictEqual(tagsOf(previous), tagsOf(next)), // a grant may require them
      }),
      wakeOn(stores.providers, ({ account }) => asking(stores.bindings.byIndex('account', account))),
      wakeEvery(stores.identity, every),
      wakeOn(stores.reconcileRequests, ({ binding }) => [binding], { when: (previous, next) => previous.at !== next.at }),
    ],
    async reconcile(key, signal, { log, urgency }): Promise<Outcome> {
      const binding = stores.bindings.get(key);
      const seen = binding && gather(stores, binding);
      const verification = seen && verificationOf(seen);
      if (verification?.kind !== 'wanted' || binding === undefined || isProblem(binding.spec)) {
        owned.proofs.delete(key);
        return settled;
      }
      const { spec, metadata, status } = binding;
      const { of, question } = verification;
      const known = proofOf(of, stores.proofs.get(key)?.proof, status);
      const proof = askedAnew(known, stores.reconcileRequests.get(key)?.at);
      // The request is forgotten when the role was read; what it asks of STS may have to wait for its turn.
      if (proof !== known) put(owned, key, proof);
      const next = () => askNextAt(stores.proofs.get(key)?.proof ?? proof, spec.verification === 'Periodic');
      const dueInMs = untilDue(next(), clock.now());
      if (dueInMs === undefined) return settled;
      if (dueInMs > 0) return recheck(dueInMs, 'STS is asked again then');
      // There are few workers, so this is a second or two at most: who waits longer, waits in the queue.
      await limiter.take(urgency, signal, namespaceOf(key));
      const serviceAccount = { namespace: metadata.namespace, name: spec.serviceAccountName };
      const answer = await ask({ serviceAccount, question }, signal).catch((error: unknown) => {
        if (isFault(error)) put(owned, key, withTrouble(proof, error.told));
        throw error;
      });
      log.debug({ role: question.role, subject: question.subject, answer: answer.kind }, 'asked STS');
      const asked = {
        now: clock.now(),
        question,
        verdict: seen?.verdict,
        roleReadAt: stores.roles.get(question.role)?.asOf,
      };
      put(owned, key, afterAnswer(proof, answer, asked));
      const againInMs = untilDue(next(), clock.now());
      return againInMs === undefined ? settled : recheck(againInMs, 'STS is asked again then');
    },
  };
}

function tagsOf({ state }: RoleRecord): ReadonlyMap<string, string> | undefined {
  return state.kind === 'present' ? state.tags?.values : undefined;
}

function put({ proofs }: Pick<OwnedStores, 'proofs'>, key: ObjectKey, proof: Proof): void {
  proofs.put({ key, proof });
}

function untilDue(at: number | undefined, now: number): number | undefined {
  return at === undefined ? undefined : Math.max(0, at - now);
}

function asksForProof({ spec }: IrsaBinding): boolean {
  return !isProblem(spec) && spec.verification !== 'Never';
}
