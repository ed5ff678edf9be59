import { isDeepStrictEqual } from 'node:util';
import type { RoleArn } from '../../api/arn.ts';
import { timestamp } from '../../api/condition.ts';
import { subjectKey } from '../../api/subject.ts';
import { dueLoss, isUngranted, type Loss, ungranted } from '../../domain/authorization/loss.ts';
import type { Coverage } from '../../domain/authorization/losses.ts';
import { lossesIn } from '../../domain/authorization/losses.ts';
import { GUARD_OFF, rememberedUntil } from '../../domain/authorization/revocation-guard.ts';
import { type Controller, recheck, settled, wakeEvery, wakeOn } from '../../runtime/controller.ts';
import { identityOf } from '../observe.ts';
import { gather, isAbsenceCertain } from './gather.ts';
import type { RevocationOptions } from './ports.ts';

/**
 * Finds the subjects in our statements that no grant covers, of whatever role and whoever's binding, and writes each down with the time since
 * when. It takes nothing away: the role controller does, when the time has come.
 */
export function revocationController({ stores, ledger, ungrantedGraceMs, events, clock }: RevocationOptions): Controller<RoleArn> {
  const coverage = new Map<RoleArn, Coverage>();
  const everyRole = () => stores.roles.list().map(({ arn }) => arn);
  return {
    name: 'revocation',
    wakes: [
      wakeOn(stores.roles, ({ arn }) => [arn], {
        when: (a, b) => !isDeepStrictEqual(a.state, b.state) || isAbsenceCertain(stores, a) !== isAbsenceCertain(stores, b),
        urgency: 'drift',
      }),
      wakeEvery(stores.grants, everyRole),
      wakeEvery(stores.grantDefinitions, everyRole),
      wakeEvery(stores.namespaces, everyRole, { when: (a, b) => !isDeepStrictEqual(a.labels, b.labels) }),
      wakeEvery(stores.identity, everyRole),
    ],
    async reconcile(role, signal, { log }) {
      const recorded = stores.losses.byIndex('role', role);
      const seen = gather(stores, role, { now: clock.now(), recorded, coverage: coverage.get(role) ?? new Map() });
      if (seen === undefined) return settled;
      const found = lossesIn(seen);
      if (found.coverage.size === 0) coverage.delete(role);
      else coverage.set(role, found.coverage);
      await ledger.put(role, found.losses, signal);
      const before = new Map(recorded.map((loss) => [subjectKey(loss), loss]));
      const news = found.losses.filter((loss) => loss.revokedAt === undefined && !isSame(before.get(subjectKey(loss)), loss));
      for (const { subject, since, cause } of news)
        log.warn({ subject, cause, since: timestamp(since) }, 'no grant covers a subject of irsa-operator');
      const told = news.find(isUngranted);
      if (told !== undefined) {
        const { cluster } = identityOf(stores);
        const clusterId = cluster.kind === 'known' ? cluster.clusterId : undefined;
        const { code, message } = ungranted(told, dueLoss(told, GUARD_OFF, ungrantedGraceMs).dueAt, clusterId);
        // Told on the operator's own object: whose it is nobody knows.
        events.record({ type: 'Warning', reason: code, action: 'Revoke', note: message });
      }
      const over = found.losses.reduce((soonest, loss) => Math.min(soonest, rememberedUntil(loss)), Number.POSITIVE_INFINITY);
      return over === Number.POSITIVE_INFINITY ? settled : recheck(over - clock.now(), 'a loss is forgotten then');
    },
  };
}

const isSame = (a: Loss | undefined, b: Loss): boolean => a?.since === b.since && a.cause === b.cause;
