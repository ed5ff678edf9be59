import { SCRIPT, STYLE } from './page-parts.ts';
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
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<link rel="icon" href="data:,">
<title>IRSA in ${text(cluster)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>IRSA in ${text(cluster)}</h1>
<p>Account ${text(account === '' ? 'unknown' : account)} · issuer ${text(issuer === '' ? 'unknown' : issuer)} · <time datetime="${text(at)}">${text(at)}</time></p>
<ul class="tiles">${tiles.join('')}</ul>
<ul class="tiles found">${chips.join('')}</ul>
</header>
<main>
<section class="all">
<p class="tools"><label>Filter <input id="filter" type="search" placeholder="namespace, role, finding" autocomplete="off"></label> <output id="shown">${rows.length} of ${rows.length}</output></p>
<table id="rows">
<thead><tr>${COLUMNS.map(([title]) => `<th scope="col" aria-sort="none"><button type="button">${title}</button></th>`).join('')}</tr></thead>
<tbody>
${rows.map((row) => `<tr>${COLUMNS.map(([title, cell]) => cellOf(title, cell(row))).join('')}</tr>`).join('\n')}
</tbody>
</table>
${leftOut === 0 ? '' : `<p>${leftOut} more are left out. The ones that fail come first.</p>`}
</section>
<div class="lists">
${list(
  'Trust policies by size',
  policies
    .slice(0, MOST_POLICIES)
    .map(
      ({ role, characters, quota }) =>
        `<li><span>${text(role)}</span> <span><meter min="0" max="${quota}" high="${Math.floor(quota * NEARLY_FULL)}" value="${characters}"></meter> ${characters}/${quota}</span></li>`,
    ),
  'No trust policy was read.',
)}
${list(
  'Accounts of the roles',
  accounts.map((one) => `<li><span>${text(one.account)}</span> <span>${one.times}</span></li>`),
  'No role is named.',
)}
</div>
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
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
