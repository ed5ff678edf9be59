import { expect, test } from 'vitest';
import type { BindingStatus } from '../../api/binding.ts';
import { conditionsFrom } from '../../api/condition.ts';
import { Fault } from '../../api/fault.ts';
import type { Step } from '../../domain/binding/step.ts';
import { withDenial } from './denied.ts';

const THEN = Date.parse('2026-01-01T00:00:00Z');
const NOW = Date.parse('2026-01-01T00:10:00Z');
const held = { status: 'True', reason: 'Trusted', message: 'STS lets it in' } as const;
const missing = { status: 'False', reason: 'AnnotationMissing', message: 'ServiceAccount "app" has no annotation' } as const;
const conditions = conditionsFrom(
  { Ready: missing, Trusted: held, Annotated: missing, Reconciling: { ...missing, status: 'True' } },
  [],
  3,
  THEN,
);
const planned: BindingStatus = { observedGeneration: 3, conditions, pods: { total: 0, current: 0, stale: 0, exempt: 0, summary: '0/0' } };
const annotate: Step = { do: 'annotate', annotations: {} };
const REFUSAL = 'the API server answered 403 to PATCH /api/v1/namespaces/a/serviceaccounts/app: serviceaccounts "app" is forbidden';

// Contract: report-failures
test('a step that the operator was not allowed to take says so, and what stood before keeps its time', () => {
  const { conditions: told, ...rest } = withDenial(planned, annotate, new Fault('denied', REFUSAL), planned, NOW);
  const message = `${REFUSAL}. irsa-operator retries by itself`;
  const stood = { observedGeneration: 3, lastTransitionTime: '2026-01-01T00:00:00Z' };
  expect(told).toEqual([
    {
      type: 'Ready',
      ...stood,
      status: 'False',
      reason: 'Denied',
      message: 'Give irsa-operator the permissions of config/rbac. See condition Annotated',
    },
    { type: 'Trusted', ...stood, ...held },
    { type: 'Annotated', ...stood, status: 'False', reason: 'Denied', message },
    { type: 'Reconciling', ...stood, status: 'True', reason: 'Denied', message: 'see condition Annotated' },
  ]);
  expect({ ...rest, conditions }).toEqual(planned);
});

const untold: Record<string, [Step, unknown]> = {
  'a conflict passes by itself': [annotate, new Fault('conflict', 'changed meanwhile')],
  'a bug is for the log': [annotate, new TypeError('x is undefined')],
  'where the binding cannot be written, nothing can be told in it': [{ do: 'addFinalizer' }, new Fault('denied', REFUSAL)],
};
for (const [sentence, [step, error]] of Object.entries(untold))
  test(sentence, () => expect(withDenial(planned, step, error, planned, NOW)).toBe(planned));
