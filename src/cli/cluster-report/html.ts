import { headOf, SCRIPT } from './page-parts.ts';
import { STATES, type State, type Summary } from './summary.ts';

const WORDS: Readonly<Record<State, string>> = { fail: 'fails', unread: 'not known', note: 'works, with a note', ok: 'works' };
/** So many policies are near their quota at most, for a person who looks. */
const MOST_POLICIES = 12;
/** From here on a new binding may not fit. */
const NEARLY_FULL = 0.75;

/** One page without requests: its policy forbids them, so that it shows the same wherever it is passed on. */
export function html(summary: Summary): string {
  const { cluster, issuer, account, at, rows, leftOut, counts, bound, findings, policies, accounts } = summary;
  const all = STATES.reduce((sum, state) => sum + counts[state], 0);
  const tiles = [
    ['ServiceAccounts', all, ''],
    ['with a binding', bound, ''],
    ...STATES.map((state) => [WORDS[state], counts[state], state] as const),
  ].map(([what, number, state]) => `<li class="tile ${state}"><b>${number}</b> ${text(String(what))}</li>`);
  const chips = findings.map(
    ({ code, times }) => `<li><button type="button" data-filter="${text(code)}">${text(code)}</button> <b>${times}</b></li>`,
  );
  const about = `Account ${account === '' ? 'unknown' : account} · issuer ${issuer === '' ? 'unknown' : issuer} · ${at}`;
  return [
    headOf(`IRSA in ${text(cluster)}`),
    '<body>',
    `<header>\n<h1>IRSA in ${text(cluster)}</h1>\n<p>${text(about)}</p>`,
    `<ul class="tiles">${tiles.join('')}</ul>\n<ul class="tiles found">${chips.join('')}</ul>\n</header>`,
    '<main>\n<section>',
    '<p class="tools"><label>Filter <input id="filter" type="search" placeholder="namespace, role, finding" autocomplete="off"></label>',
    `<output id="shown">${rows.length} of ${rows.length}</output></p>`,
    tableOf(rows),
    leftOut === 0 ? '' : `<p>${leftOut} more are left out. The ones that fail come first.</p>`,
    '</section>\n<div class="lists">',
    list('Trust policies by size', policies.slice(0, MOST_POLICIES).map(policyItem), 'No trust policy was read.'),
    list('Accounts of the roles', accounts.map(accountItem), 'No role is named.'),
    `</div>\n</main>\n<script>${SCRIPT}</script>\n</body>\n</html>\n`,
  ].join('\n');
}

const policyItem = ({ role, characters, quota }: Summary['policies'][number]): string =>
  `<li><span>${text(role)}</span> <span>${meter(characters, quota)} ${characters}/${quota}</span></li>`;
const meter = (value: number, most: number): string =>
  `<meter min="0" max="${most}" high="${Math.floor(most * NEARLY_FULL)}" value="${value}"></meter>`;
const accountItem = ({ account, times }: Summary['accounts'][number]): string =>
  `<li><span>${text(account)}</span> <span>${times}</span></li>`;

function tableOf(rows: Summary['rows']): string {
  const heads = COLUMNS.map(([title]) => `<th scope="col" aria-sort="none"><button type="button">${title}</button></th>`);
  const lines = rows.map((row) => `<tr>${COLUMNS.map(([title, cell]) => cellOf(title, cell(row))).join('')}</tr>`);
  return `<table id="rows">\n<thead><tr>${heads.join('')}</tr></thead>\n<tbody>\n${lines.join('\n')}\n</tbody>\n</table>`;
}

/** One that is empty has no child, by which a narrow page leaves it out. */
const cellOf = (title: string, content: string): string =>
  `<td data-title="${title}">${content === '' ? '' : `<div>${content}</div>`}</td>`;

type Row = Summary['rows'][number];
const COLUMNS: readonly (readonly [title: string, cell: (row: Row) => string])[] = [
  ['State', ({ state }) => `<span class="state ${state}">${WORDS[state]}</span>`],
  ['Namespace', ({ namespace }) => text(namespace)],
  ['ServiceAccount', ({ serviceAccount }) => text(serviceAccount)],
  ['Binding', ({ binding, mode }) => (binding === '' ? '' : `${text(binding)} <small>${text(mode)}</small>`)],
  ['Role', ({ role }) => text(role)],
  ['Pods', ({ pods }) => text(pods)],
  ['Finding', ({ code, message }) => (code === '' && message === '' ? '' : `<b>${text(code)}</b> ${text(message)}`)],
];

function list(title: string, items: readonly string[], nothing: string): string {
  return `<section><h2>${title}</h2>\n${items.length === 0 ? `<p>${nothing}</p>` : `<ul>${items.join('')}</ul>`}</section>`;
}

const MARKS: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Names and messages are text of others. Control characters mean nothing in a page. */
export function text(value: string): string {
  return value.replaceAll(/\p{Cc}/gu, ' ').replaceAll(/[&<>"']/g, (mark) => MARKS[mark] ?? '');
}
