import { printable } from '../output.ts';
import { STATES, type Summary } from './summary.ts';

/** The same for a wiki or an issue. */
export function markdown({ cluster, issuer, account, at, counts, bound, rows, leftOut, findings, policies, accounts }: Summary): string {
  const tables = [
    table(
      ['State', 'ServiceAccount', 'Binding', 'Role', 'Pods', 'Finding'],
      rows.map(({ state, namespace, serviceAccount, binding, mode, role, pods, code: found }) => [
        state,
        code(`${namespace}/${serviceAccount}`),
        binding === '' ? '' : `${code(binding)} ${mode}`,
        code(role),
        pods,
        found,
      ]),
    ),
    ...(leftOut === 0 ? [] : [`${leftOut} more are left out. The ones that fail come first.`]),
    ...section(
      'Findings',
      ['Code', 'Times'],
      findings.map(({ code: found, times }) => [found, String(times)]),
    ),
    ...section(
      'Trust policies by size',
      ['Role', 'Characters'],
      policies.map((one) => [code(one.role), `${one.characters}/${one.quota}`]),
    ),
    ...section(
      'Accounts of the roles',
      ['Account', 'Times'],
      accounts.map((one) => [code(one.account), String(one.times)]),
    ),
  ];
  const states = STATES.map((state) => `${counts[state]} ${state}`).join(', ');
  const head = [
    `# IRSA in ${code(cluster)}`,
    `Account ${account === '' ? 'unknown' : code(account)}, issuer ${issuer === '' ? 'unknown' : code(issuer)}, ${at}.`,
    `ServiceAccounts: ${STATES.reduce((sum, state) => sum + counts[state], 0)} (${states}), with a binding: ${bound}.`,
  ];
  return `${[...head, ...tables].join('\n\n')}\n`;
}

function section(title: string, columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : [`## ${title}`, table(columns, rows)];
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** What others wrote, as they wrote it. The two characters that would end it are shown by their codes. */
const code = (value: string): string =>
  value === '' ? '' : `\`${printable(value).replace(/[`|]/g, (mark) => (mark === '|' ? '\\u007c' : '\\u0060'))}\``;
