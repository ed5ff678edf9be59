import { stringify } from 'yaml';
import type { BindingSpec } from '../../api/binding.ts';
import type { ObjectName } from '../../api/cluster.ts';
import { GROUP, STS_AUDIENCE, VERSION } from '../../api/names.ts';
import { plain } from '../output.ts';
import { exactGrants, grantSpecOf } from './grants.ts';
import type { Imported } from './imported.ts';

/** Of YAML: ARNs stay in one line. */
const WIDTH = 0;

/** Manifests for kubectl: grants, then bindings, and what gets none as comments. The same input gives the same text. */
export function manifestsOf(imported: readonly Imported[]): string {
  const grants = exactGrants(imported).map((grant) => document('IrsaGrant', { name: grant.name }, grantSpecOf(grant)));
  const bindings = imported.flatMap(({ of, spec, remarks }) =>
    spec === undefined ? [] : [`${comments(of, remarks)}${document('IrsaBinding', of, bindingSpecOf(spec))}`],
  );
  const left = imported.flatMap(({ of, spec, remarks }) => (spec === undefined ? [comments(of, remarks)] : []));
  const documents = [...grants, ...bindings];
  const rest = left.length === 0 ? '' : `# Without a binding:\n${left.join('')}`;
  return documents.length === 0 ? rest : `${documents.join('---\n')}${rest === '' ? '' : `---\n${rest}`}`;
}

function document(kind: string, { name, namespace }: Partial<ObjectName>, spec: object): string {
  const metadata = namespace === undefined ? { name } : { name, namespace };
  return stringify({ apiVersion: `${GROUP}/${VERSION}`, kind, metadata, spec }, { lineWidth: WIDTH, aliasDuplicateObjects: false });
}

/** An annotation may hold anything, and must not end a comment. */
const comments = ({ namespace, name }: ObjectName, remarks: readonly string[]): string =>
  remarks.map((remark) => `# ${plain(`${namespace}/${name}: ${remark}`)}\n`).join('');

/** What differs from the defaults, and what an imported binding says in any case. */
function bindingSpecOf(spec: BindingSpec): object {
  const { serviceAccountName, roleArn, mode, audience, trustPolicy, restart, deletionPolicy, suspend, verification } = spec;
  const { tokenExpirationSeconds, stsRegionalEndpoints } = spec;
  const { strategy, afterTrustRepair, maxUnavailable } = restart;
  return {
    serviceAccountName,
    roleArn,
    mode,
    ...(audience === STS_AUDIENCE ? {} : { audience }),
    trustPolicy,
    restart: {
      strategy,
      ...(afterTrustRepair === 'Unready' ? {} : { afterTrustRepair }),
      ...(maxUnavailable === 1 ? {} : { maxUnavailable }),
    },
    deletionPolicy,
    ...(suspend ? { suspend } : {}),
    ...(tokenExpirationSeconds === undefined ? {} : { tokenExpirationSeconds }),
    ...(stsRegionalEndpoints === undefined ? {} : { stsRegionalEndpoints }),
    ...(verification === 'Never' ? {} : { verification }),
  };
}
