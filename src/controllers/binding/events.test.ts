import { expect, test } from 'vitest';
import type { BindingStatus } from '../../api/binding.ts';
import { type ConditionStatus, conditionsFrom } from '../../api/condition.ts';
import { NOW } from '../../domain/test-observed.ts';
import type { BindingEvent } from '../../ports/events.ts';
import { eventsFor } from './events.ts';

const never: BindingStatus = { conditions: [] };
const ready = (status: ConditionStatus, reason: string, message = `about ${reason}`): BindingStatus => ({
  conditions: conditionsFrom(
    { Ready: { status, reason, message: 'See condition Trusted' }, Trusted: { status, reason, message } },
    [],
    1,
    NOW,
  ),
});
const wrong = (reason: 'NotGranted' | 'TrustExplicitDeny' | 'PodRoleArnStale' | 'IssuerUnknown'): BindingEvent => ({
  type: 'Warning',
  reason,
  action: 'Reconcile',
  note: `about ${reason}`,
});
const well: BindingEvent = { type: 'Normal', reason: 'Ready', action: 'Reconcile', note: 'See condition Trusted' };

const cases: Record<string, { before: BindingStatus; after: BindingStatus; told: readonly BindingEvent[] }> = {
  'what is wrong from the start': { before: never, after: ready('False', 'NotGranted'), told: [wrong('NotGranted')] },
  'what is newly wrong': { before: ready('True', 'Ready'), after: ready('False', 'TrustExplicitDeny'), told: [wrong('TrustExplicitDeny')] },
  'what is wrong in another way': {
    before: ready('False', 'NotGranted'),
    after: ready('False', 'TrustExplicitDeny'),
    told: [wrong('TrustExplicitDeny')],
  },
  'what cannot be known for a reason of the vocabulary': {
    before: never,
    after: ready('Unknown', 'IssuerUnknown'),
    told: [wrong('IssuerUnknown')],
  },
  'that all is well at last': { before: never, after: ready('True', 'Ready'), told: [well] },
  'that all is well again': { before: ready('False', 'PodRoleArnStale'), after: ready('True', 'Ready'), told: [well] },
  'that it works, and that the ServiceAccount is awaited': {
    before: never,
    after: ready('True', 'AwaitingServiceAccount'),
    told: [well],
  },
  'nothing where nothing changed': { before: ready('False', 'NotGranted'), after: ready('False', 'NotGranted'), told: [] },
  'nothing where only the words changed': {
    before: ready('False', 'NotGranted', 'one'),
    after: ready('False', 'NotGranted', 'two'),
    told: [],
  },
  'nothing while steps wait for each other': { before: never, after: ready('Unknown', 'Pending'), told: [] },
  'nothing while pods are restarted': { before: ready('True', 'Ready'), after: ready('False', 'Restarting'), told: [] },
  'nothing when it is still well for another reason': {
    before: ready('True', 'AwaitingServiceAccount'),
    after: ready('True', 'Ready'),
    told: [],
  },
  'nothing where nothing is known': { before: ready('True', 'Ready'), after: never, told: [] },
  'nothing of a reason that every object inherits': { before: never, after: ready('False', 'constructor'), told: [] },
};
// Contract: report-events
for (const [sentence, { before, after, told }] of Object.entries(cases))
  test(`tells ${sentence}`, () => expect(eventsFor(before, after)).toEqual(told));
