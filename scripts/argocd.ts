import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { GROUP } from '../src/api/names.ts';

const FOLDER = 'config/argocd';
const KIND = 'IrsaBinding';
const lua = (path: string) => readFileSync(`${FOLDER}/${GROUP}/${KIND}/${path}`, 'utf8');

/** The Lua scripts, which are in the layout of Argo CD's `resource_customizations`, as a patch of the ConfigMap that a user of Argo CD has. */
export function argocd(): Record<string, string> {
  const actions = {
    'discovery.lua': lua('actions/discovery.lua'),
    definitions: [{ name: 'reconcile', 'action.lua': lua('actions/reconcile/action.lua') }],
  };
  const data = {
    [`resource.customizations.health.${GROUP}_${KIND}`]: lua('health.lua'),
    [`resource.customizations.actions.${GROUP}_${KIND}`]: stringify(actions, { lineWidth: 0 }),
  };
  const header = `# Generated from the Lua scripts beside it by \`npm run generate\`. Do not edit.\n`;
  return { [`${FOLDER}/argocd-cm.yaml`]: header + stringify({ data }, { lineWidth: 0 }) };
}
