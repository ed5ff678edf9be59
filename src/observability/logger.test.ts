import { expect, test } from 'vitest';
import { safeError } from './logger.ts';

test('an error is logged without what libraries hang on it: requests, headers and bodies may carry a token', () => {
  const error = Object.assign(new Error('refused'), {
    headers: { authorization: 'Bearer secret' },
    body: 'secret',
    config: { token: 'secret' },
  });
  expect(JSON.stringify(safeError(error))).not.toContain('secret');
  expect(safeError(error)).toEqual({ type: 'Error', message: 'refused', stack: expect.stringContaining('logger.test.ts') });
});

test('a fault has its kind and code, and no stack: it is no bug', () => {
  const fault = Object.assign(new Error('iam:GetRole of role "x": AccessDenied: no'), {
    name: 'Fault',
    kind: 'denied',
    code: 'AccessDenied',
  });
  expect(safeError(fault)).toEqual({
    type: 'Fault',
    message: 'iam:GetRole of role "x": AccessDenied: no',
    kind: 'denied',
    code: 'AccessDenied',
  });
});

test('what was thrown and is no error is told by its type', () => {
  expect([safeError('text'), safeError({ token: 'secret' }), safeError(undefined)]).toEqual(['text', 'object', 'undefined']);
});
