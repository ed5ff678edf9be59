import type { Reach } from '../../domain/check/fixes.ts';
import type { Given } from '../command.ts';
import { WEBHOOK_FLAGS } from '../webhook-flags.ts';
import type { AwsSettings } from './aws-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What leads to where a check was, so that the commands that are printed get to the same cluster and the same account. `program`: the words
 * that start this one. `aws` is what the check called AWS with, `env` what the person's own tools have already.
 */
export function reachOf(program: readonly string[], given: Given, operands: readonly string[], aws: AwsSettings, env: Environment): Reach {
  const said = (...names: readonly string[]) =>
    names.flatMap((name) => {
      const value = given[name];
      if (value === true) return [`--${name}`];
      return [value].flat().flatMap((one) => (typeof one === 'string' && one !== '' ? [`--${name}`, one] : []));
    });
  const namespace = typeof given['namespace'] === 'string' && given['namespace'] !== '' ? ['-n', given['namespace']] : [];
  const webhook = Object.entries(WEBHOOK_FLAGS).flatMap(([name, { default: usual }]) => (given[name] === usual ? [] : name));
  const also = said(
    'all-namespaces',
    'service-account',
    'role-arn',
    'issuer',
    'context',
    'kubeconfig',
    'as',
    'as-group',
    'profile',
    'region',
    ...webhook,
  );
  return {
    kubectl: said('context', 'kubeconfig', 'as', 'as-group'),
    aws: aws.profile === undefined || aws.profile === env['AWS_PROFILE'] ? [] : ['--profile', aws.profile],
    region: aws.region,
    check: [...program, 'check', ...namespace, ...operands, ...also],
  };
}
