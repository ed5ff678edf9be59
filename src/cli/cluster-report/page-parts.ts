/** Light and dark as the reader's system is. A narrow screen shows a row as a card, and the narrowest its titles above. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --soft: #59636e; --line: #d1d9e0; --tint: #f6f8fa;
  --fail: #b42318; --unread: #8a5a00; --note: #0b5cad; --ok: #1a7f37; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --soft: #9aa5b1; --line: #30363d; --tint: #161b22;
  --fail: #ff7b72; --unread: #e3b341; --note: #79c0ff; --ok: #56d364; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 110rem; padding: 1.5rem; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { margin: 0; font-size: 1.5rem; } h2 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
header p { margin: .25rem 0 1rem; color: var(--soft); overflow-wrap: anywhere; }
ul { margin: 0; padding: 0; list-style: none; }
.tiles { display: flex; flex-wrap: wrap; gap: .5rem; }
.tile { padding: .5rem .9rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--tint); }
.tile b { font-size: 1.25rem; }
.found { margin-top: .75rem; gap: .25rem 1.25rem; }
.lists { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); gap: 0 3rem; }
.lists li { overflow-wrap: anywhere; display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem; padding: .25rem 0; border-bottom: 1px solid var(--line); }
.tools { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; margin: 1.5rem 0 .5rem; }
input, button { font: inherit; color: inherit; }
input { padding: .35rem .6rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--tint); width: min(22rem, 60vw); }
button { padding: 0; border: 0; background: none; text-align: left; cursor: pointer; text-decoration: underline dotted; }
:focus-visible { outline: 2px solid var(--note); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th:nth-child(1) { width: 6.5rem; } th:nth-child(2) { width: 10%; } th:nth-child(3) { width: 14%; } th:nth-child(4) { width: 12%; }
th:nth-child(5) { width: 20%; } th:nth-child(6) { width: 4rem; }
th, td { padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { position: sticky; top: 0; background: var(--paper); box-shadow: 0 1px var(--line); }
th button { font-weight: 600; text-decoration: none; }
th[aria-sort=ascending] button::after { content: " \\2191"; } th[aria-sort=descending] button::after { content: " \\2193"; }
small { color: var(--soft); }
.state, .tile { font-weight: 500; }
.fail { color: var(--fail); } .unread { color: var(--unread); } .note { color: var(--note); } .ok { color: var(--ok); }
@media (max-width: 60rem) {
  .lists { display: block; }
  thead { display: none; }
  tr { display: block; margin: 0 0 1rem; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--tint); }
  tr[hidden] { display: none; }
  td { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); padding: .2rem 0; border: 0; }
  td:empty { display: none; }
  td::before { content: attr(data-title); color: var(--soft); }
}
@media (max-width: 30rem) {
  td { display: block; }
  td::before { display: block; }
}
@media print { .tools { display: none; } }
`;

/** Sorts and filters what is there. Without it the page is whole, in its order. */
export const SCRIPT = `
const table = document.getElementById('rows'), filter = document.getElementById('filter'), shown = document.getElementById('shown');
const rows = [...table.tBodies[0].rows];
function show() {
  const words = filter.value.toLowerCase().split(/\\s+/).filter(Boolean);
  let left = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    if (!row.hidden) left += 1;
  }
  shown.value = left + ' of ' + rows.length;
}
filter.addEventListener('input', show);
for (const button of document.querySelectorAll('[data-filter]'))
  button.addEventListener('click', () => { filter.value = button.dataset.filter; show(); });
table.tHead.rows[0].querySelectorAll('th').forEach((head, at) => head.firstChild.addEventListener('click', () => {
  const down = head.ariaSort === 'ascending';
  for (const other of head.parentNode.children) other.ariaSort = 'none';
  head.ariaSort = down ? 'descending' : 'ascending';
  const of = (row) => row.cells[at].textContent;
  rows.sort((a, b) => (down ? -1 : 1) * of(a).localeCompare(of(b), 'en', { numeric: true }));
  table.tBodies[0].append(...rows);
}));
`;

const POLICY = [
  "default-src 'none'",
  "style-src 'unsafe-inline'",
  "script-src 'unsafe-inline'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
];

/** Up to the body. The policy forbids every request. `title`: as HTML. */
export function headOf(title: string): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY.join('; ')}">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${STYLE}</style>
</head>`;
}
