import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kstatusOf, objectIn, TESTDATA } from './programs.ts';

/** What Flux, `helm --wait` and other users of kstatus see of the bindings that irsa-operator writes (recorded.test.ts). */
const cases: Readonly<Record<string, { readonly of: string; readonly status: string; readonly message: string }>> = {
  // Contract: gitops-kstatus
  'a new binding that no operator has seen is in progress': {
    of: 'new',
    status: 'InProgress',
    message: 'IrsaBinding generation is 1, but latest observed generation is -1',
  },
  'so is one whose spec changed since, although it was Ready': {
    of: 'changed',
    status: 'InProgress',
    message: 'IrsaBinding generation is 2, but latest observed generation is 1',
  },
  'one on which irsa-operator works is in progress': { of: 'reconciling', status: 'InProgress', message: 'see condition PodsCurrent' },
  // Contract: gitops-kstatus
  'one that is Ready is current': { of: 'ready', status: 'Current', message: 'Resource is Ready' },
  'so is one whose ServiceAccount is yet to come': { of: 'without-service-account', status: 'Current', message: 'Resource is Ready' },
  'so is one that worked and was suspended': { of: 'suspended', status: 'Current', message: 'Resource is Ready' },
  // Contract: gitops-kstatus
  'one that waits for a person has failed': { of: 'stalled', status: 'Failed', message: 'see condition Authorized' },
  'so has one that observes, and would change something': { of: 'observing', status: 'Failed', message: 'see condition Trusted' },
  // Contract: gitops-kstatus
  'one that is being deleted is terminating': { of: 'deleted', status: 'Terminating', message: 'Resource scheduled for deletion' },
};

describe('kstatus:', () => {
  for (const [sentence, { of, ...expected }] of Object.entries(cases))
    test(sentence, async () => expect(await kstatusOf([objectIn(join(TESTDATA, `${of}.yaml`))])).toEqual([expected]));

  test('a grant, which has no status, is current', async () =>
    expect(await kstatusOf([objectIn('config/samples/grant.yaml')])).toMatchObject([{ status: 'Current' }]));
});
