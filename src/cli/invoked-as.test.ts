import { expect, test } from 'vitest';
import { invokedAs } from './invoked-as.ts';

const rows: Record<string, [argv: string[], env: Record<string, string>, words: string]> = {
  npx: [['/node', '/home/.npm/_npx/1/node_modules/.bin/irsa-operator'], { npm_command: 'exec' }, 'npx irsa-operator'],
  'the plugin of kubectl': [['/node', '/usr/local/bin/kubectl-irsa'], {}, 'kubectl irsa'],
  'the plugin as a single executable': [['/usr/local/bin/kubectl-irsa', '/usr/local/bin/kubectl-irsa'], {}, 'kubectl irsa'],
  'a program in the PATH': [['/node', '/usr/local/bin/irsa-operator'], {}, 'irsa-operator'],
  'a single executable': [['/opt/irsa-operator-linux-x64', '/opt/irsa-operator-linux-x64'], {}, 'irsa-operator-linux-x64'],
  'the bundle, from its folder': [['/node', '/src/irsa/dist/irsa-operator.mjs'], {}, 'node dist/irsa-operator.mjs'],
  'the bundle, from elsewhere': [['/node', '/opt/irsa-operator.mjs'], {}, 'node /opt/irsa-operator.mjs'],
};
for (const [how, [argv, env, words]] of Object.entries(rows))
  test(`${how}: ${words}`, () => expect(invokedAs(argv, env, '/src/irsa').join(' ')).toBe(words));
