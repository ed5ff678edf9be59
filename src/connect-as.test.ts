import { expect, test } from 'vitest';
import { connectAs } from './connect-as.ts';

test('--request-timeout is a duration', () => {
  for (const timeout of ['soon', '0', '2d'])
    expect(() => connectAs('0.1.0', { 'request-timeout': timeout })).toThrow(
      `--request-timeout: "${timeout}" is not a duration from 100ms to 1h, such as 10s`,
    );
});
