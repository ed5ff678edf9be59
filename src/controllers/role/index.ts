import { isDeepStrictEqual } from 'node:util';
import type { RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import { conditionOf } from '../../api/condition.ts';
import { isProblem } from '../../api/problem.ts';
import { subjectOf } from '../../api/subject.ts';
import { lostSince } from '../../domain/authorization/grant-loss.ts';
import { questionKey } from '../../domain/role/desired-trust.ts';
import { planRole, type RolePlan } from '../../domain/role/plan.ts';
import { type Controller, recheck, settled, wakeOn } from '../../runtime/controller.ts';
import { remembering } from '../failures.ts';
import { losers, rolesOf, type World } from '../stores.ts';
import { gather } from './gather.ts';
import { perform } from './perform.ts';
import type { TrustOptions } from './ports.ts';

/** Keeps one role's trust policy in step with every binding that names it. The key is the role, so a burst of bindings is one write. */
export function trustController(options: TrustOptions): Controller<RoleArn> {
  const { world, clock } = options;
  const everyRole = () => world.bindings.list().flatMap(rolesOf);
  return {
    name: 'trust',
    wakes: [
      wakeOn(world.bindings, rolesOf, { when: matters }), // also the roles that it is leaving
      wakeOn(world.bindings, (binding) => rivalRoles(world, binding), { when: matters }),
      wakeOn(world.grants, everyRole),
      wakeOn(world.namespaces, everyRole, { when: (previous, next) => !isDeepStrictEqual(previous.labels, next.labels) }),
      wakeOn(world.roles, ({ arn }) => [arn], {
        when: (previous, next) => !isDeepStrictEqual(previous.state, next.state),
        urgency: 'drift',
      }),
      wakeOn(world.audits, ({ role }) => (role === undefined ? [] : [role]), { when: (previous, next) => previous.role !== next.role }),
      wakeOn(world.providers, everyRole),
      wakeOn(world.looks, ({ role }) => (role === undefined ? [] : [role]), { when: (previous, next) => previous.at !== next.at }),
      wakeOn(world.surroundings, everyRole),
      wakeOn(world.losses, () => losers(world).flatMap(rolesOf)), // whether they are too many
    ],
    async reconcile(arn, signal, { log, urgency }) {
      const plan = planRole(gather(world, arn, clock.now()));
      countDrift(options, plan);
      publish(world, arn, plan);
      answerLooks(world, arn, plan);
      if (plan.steps.length > 0) log.debug({ steps: plan.steps.map((step) => step.do) }, 'planned');
      if (plan.steps.length === 0) world.failures.delete(arn); // the sweep had the answer
      for (const step of plan.steps) {
        const next = await remembering(world, arn, () => perform(arn, step, options, log, signal, urgency));
        if (next.kind === 'recheck') return next;
      }
      return plan.lookAgain === undefined ? settled : recheck(plan.lookAgain.inMs, plan.lookAgain.why);
    },
  };
}

/** Of a binding only what decides about trust: a status that was merely written must not start a read of the role. */
function matters(previous: IrsaBinding, next: IrsaBinding): boolean {
  return !isDeepStrictEqual(trustRelevant(previous), trustRelevant(next));
}

function trustRelevant(binding: IrsaBinding): unknown {
  const { metadata, spec, status } = binding;
  return [
    metadata.uid,
    metadata.generation,
    metadata.deleting,
    metadata.finalizers,
    spec,
    status.roles,
    conditionOf(status.conditions, 'Ready')?.status,
    lostSince(binding),
  ];
}

/** When a binding lets go of a ServiceAccount, another one for it may come into its right. */
function rivalRoles(world: World, { metadata, spec }: IrsaBinding): RoleArn[] {
  if (!('serviceAccountName' in spec)) return [];
  return world.bindings.byIndex('serviceAccount', `${metadata.namespace}/${spec.serviceAccountName}`).flatMap(rolesOf);
}

/** Answers by question; what is not answered stays pending, and what nobody asks any more is forgotten. */
function publish({ verdicts, bindings, audits, roles }: World, arn: RoleArn, plan: RolePlan): void {
  for (const [question, verdict] of plan.verdicts) {
    if (!isDeepStrictEqual(verdicts.get(questionKey(question))?.verdict, verdict)) verdicts.put({ question, verdict });
  }
  const bound = bindings.byIndex('role', arn);
  const asked = new Set(bound.flatMap((binding) => questionsOn(binding, arn)));
  for (const { question } of verdicts.byIndex('role', arn)) {
    if (!asked.has(`${question.subject}\n${question.audience}`)) verdicts.delete(questionKey(question));
  }
  if (bound.length === 0 && audits.byIndex('role', arn).length === 0) roles.delete(arn);
}

/** Subjects and audiences for which a binding names the role, or stands on it. */
function questionsOn({ metadata, spec, status }: IrsaBinding, arn: RoleArn): string[] {
  if (isProblem(spec)) return [];
  const subject = subjectOf(metadata.namespace, spec.serviceAccountName);
  const standing = (status.roles ?? []).filter((entry) => entry.arn === arn).map(({ audience }) => audience);
  const audiences = spec.roleArn === arn ? [spec.audience, ...standing] : standing;
  return audiences.map((audience) => `${subject}\n${audience}`);
}

/** The verdicts rest on a read of the role since the look was asked for. */
function answerLooks({ looks, roles }: World, arn: RoleArn, { steps }: RolePlan): void {
  const asOf = roles.get(arn)?.asOf;
  if (asOf === undefined || steps.some((step) => step.do === 'read')) return;
  for (const asked of looks.byIndex('role', arn)) if (!asked.trust && asked.at <= asOf) looks.put({ ...asked, trust: true });
}

/** Somebody took away what had been confirmed. */
function countDrift({ world, metrics }: TrustOptions, { verdicts }: RolePlan): void {
  const lost = verdicts.some(
    ([question, verdict]) => verdict.kind === 'refused' && world.verdicts.get(questionKey(question))?.verdict.kind === 'allowed',
  );
  if (lost) metrics.drifted();
}
