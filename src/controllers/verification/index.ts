import { isDeepStrictEqual } from 'node:util';
import type { IrsaBinding } from '../../api/binding.ts';
import { keyOf, type ObjectKey } from '../../api/cluster.ts';
import { isFault } from '../../api/fault.ts';
import { isProblem } from '../../api/problem.ts';
import { afterAnswer, askedAnew, askNextAt, type Proof, proofOf, verificationOf, withTrouble } from '../../domain/verification/proof.ts';
import { type Controller, type Outcome, recheck, settled, wakeOn } from '../../runtime/controller.ts';
import { serviceAccountOf, type World } from '../stores.ts';
import { gather } from './gather.ts';
import type { ProofOptions } from './ports.ts';
import { Turns } from './rate-limiter.ts';

/** Proves by STS that a role lets a ServiceAccount in, where binding and grant ask for it. Waits are rechecks: a proof takes many rounds and holds no worker between them. */
export function proofController({ world, ask, clock }: ProofOptions): Controller<ObjectKey> {
  const turns = new Turns();
  const asking = (bindings: readonly IrsaBinding[]) => bindings.filter(asksForProof).map(({ metadata }) => keyOf(metadata));
  const every = () => asking(world.bindings.list());

  return {
    name: 'proof',
    wakes: [
      wakeOn(world.bindings, ({ metadata }) => [keyOf(metadata)], {
        when: (previous, next) => asksForProof(previous) || asksForProof(next),
      }),
      wakeOn(world.bindings, (binding) =>
        serviceAccountOf(binding).flatMap((key) => asking(world.bindings.byIndex('serviceAccount', key))),
      ),
      wakeOn(world.grants, every),
      wakeOn(world.namespaces, ({ name }) => asking(world.bindings.byIndex('namespace', name)), {
        when: (previous, next) => !isDeepStrictEqual(previous.labels, next.labels),
      }),
      wakeOn(world.serviceAccounts, (account) => asking(world.bindings.byIndex('serviceAccount', keyOf(account))), {
        when: (previous, next) => previous.uid !== next.uid,
      }),
      wakeOn(world.verdicts, ({ question }) => asking(world.bindings.byIndex('role', question.role))),
      wakeOn(world.providers, ({ account }) => asking(world.bindings.byIndex('account', account))),
      wakeOn(world.surroundings, every),
      wakeOn(world.looks, ({ binding }) => [binding], { when: (previous, next) => previous.at !== next.at }),
    ],
    async reconcile(key, signal, { log }): Promise<Outcome> {
      const binding = world.bindings.get(key);
      const seen = binding && gather(world, binding);
      const verification = seen && verificationOf(seen);
      if (verification?.kind !== 'wanted' || binding === undefined || isProblem(binding.spec)) {
        world.proofs.delete(key);
        turns.forget(key);
        return settled;
      }
      const { spec, metadata, status } = binding;
      const { of, question } = verification;
      const known = proofOf(of, world.proofs.get(key)?.proof, status);
      const proof = askedAnew(known, world.looks.get(key)?.at);
      // The request is forgotten when the role was read; what it asks of STS may have to wait for its turn.
      if (proof !== known) put(world, key, proof);
      const next = () => askNextAt(world.proofs.get(key)?.proof ?? proof, spec.verification === 'Periodic');
      const dueInMs = untilDue(next(), clock.now());
      if (dueInMs === undefined) return settled;
      if (dueInMs > 0) return recheck(dueInMs, 'STS is asked again then');
      const turnInMs = turns.take(key, clock.monotonic());
      if (turnInMs > 0) return recheck(turnInMs, 'others ask STS first');
      const serviceAccount = { namespace: metadata.namespace, name: spec.serviceAccountName };
      const answer = await ask({ serviceAccount, question }, signal).catch((error: unknown) => {
        if (isFault(error)) put(world, key, withTrouble(proof, error.message));
        throw error;
      });
      log.debug({ role: question.role, subject: question.subject, answer: answer.kind }, 'asked STS');
      const asked = {
        now: clock.now(),
        question,
        verdict: seen?.verdicts.get(question.role),
        roleReadAt: world.roles.get(question.role)?.asOf,
      };
      put(world, key, afterAnswer(proof, answer, asked));
      const againInMs = untilDue(next(), clock.now());
      return againInMs === undefined ? settled : recheck(againInMs, 'STS is asked again then');
    },
  };
}

function put(world: World, key: ObjectKey, proof: Proof): void {
  world.proofs.put({ key, proof });
}

function untilDue(at: number | undefined, now: number): number | undefined {
  return at === undefined ? undefined : Math.max(0, at - now);
}

function asksForProof({ spec }: IrsaBinding): boolean {
  return !isProblem(spec) && spec.verification !== 'Never';
}
