import type { Dashboard, Panel, Threshold } from '@grafana/grafana-foundation-sdk/dashboard';

/** A line of a panel: its name, and its values by seconds since 1970. */
export interface Line {
  readonly name: string;
  readonly values: readonly (readonly [number, number])[];
}

/** What a query of a panel returned. */
export type LinesOf = (panel: Panel) => readonly Line[];

const COLUMN_PX = 50;
const ROW_PX = 30;
const COLUMNS = 24;
const GAP_PX = 8;
const TITLE_PX = 26;
const AXIS_PX = 58;
const MIB = 2 ** 20;
const LEGEND_PX = 16;
const CHAR_PX = 6.2;
/** Those of Grafana's dark theme. */
const BACKGROUND = '#111217';
const PANEL = '#181b1f';
const FRAME = '#25272c';
const TEXT = '#ccccdc';
const FAINT = '#8e8e9a';
const COLOURS = ['#73bf69', '#f2cc0c', '#5794f2', '#ff9830', '#f2495c', '#b877d9', '#8ab8ff', '#fade2a', '#ca95e5', '#ffb357'];
/** As Grafana calls them in thresholds. */
const NAMED: Readonly<Record<string, string>> = { green: '#73bf69', orange: '#ff9830', red: '#f2495c' };
const LINES_IN_LEGEND = 3;

/** A dashboard as an SVG: its panels where Grafana puts them, in its colours, over the time from and to (seconds since 1970). */
export function draw(dashboard: Dashboard, linesOf: LinesOf, from: number, to: number): string {
  const panels = (dashboard.panels ?? []) as Panel[];
  const height = Math.max(...panels.map(({ gridPos }) => ((gridPos?.y ?? 0) + (gridPos?.h ?? 0)) * ROW_PX)) + GAP_PX;
  const width = COLUMNS * COLUMN_PX + GAP_PX;
  const drawn = panels.map((panel) => {
    const { x = 0, y = 0, w = 0, h = 0 } = panel.gridPos ?? {};
    const box = { width: w * COLUMN_PX - GAP_PX, height: h * ROW_PX - GAP_PX };
    const inside = panel.type === 'row' ? heading(panel) : framed(panel, box, linesOf(panel), from, to);
    return `<g transform="translate(${x * COLUMN_PX + GAP_PX},${y * ROW_PX + GAP_PX})">${inside}</g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Inter, Helvetica, Arial, sans-serif" font-size="11">
<title>${escaped(dashboard.title ?? '')}</title>
<rect width="100%" height="100%" fill="${BACKGROUND}"/>
${drawn.join('\n')}
</svg>
`;
}

interface Box {
  readonly width: number;
  readonly height: number;
}

function heading({ title = '' }: Panel): string {
  return label(2, 14, title, TEXT, 'font-weight="600" font-size="13"');
}

function framed(panel: Panel, box: Box, lines: readonly Line[], from: number, to: number): string {
  const frame = `<rect width="${box.width}" height="${box.height}" rx="3" fill="${PANEL}" stroke="${FRAME}"/>`;
  const title = label(10, 17, panel.title ?? '', TEXT, 'font-weight="500" font-size="12"');
  const unit = panel.fieldConfig?.defaults.unit ?? 'short';
  return frame + title + content(panel, box, lines, unit, { from, to });
}

interface Span {
  readonly from: number;
  readonly to: number;
}

function content({ type, fieldConfig }: Panel, box: Box, lines: readonly Line[], unit: string, span: Span): string {
  if (type === 'stat') return big(box, lines, unit, fieldConfig?.defaults.thresholds?.steps ?? []);
  if (type === 'state-timeline') return bars(box, lines, span);
  const { stacking } = (fieldConfig?.defaults.custom ?? {}) as { stacking?: object };
  return chart(box, stacking === undefined ? lines : stacked(lines), unit, span, stacking !== undefined);
}

/** Each on the sum of those before it. */
function stacked(lines: readonly Line[]): Line[] {
  const sums = new Map<number, number>();
  return lines.map(({ name, values }) => ({
    name,
    values: values.map(([at, value]) => {
      sums.set(at, (sums.get(at) ?? 0) + value);
      return [at, sums.get(at) ?? 0] as const;
    }),
  }));
}

/** A row for each line, blue while it is 1. */
function bars({ width, height }: Box, lines: readonly Line[], span: Span): string {
  const left = Math.max(...lines.map(({ name }) => name.length * CHAR_PX), 0) + 20;
  const area = { left, top: TITLE_PX + 6, width: width - left - 12, height: height - TITLE_PX - 34 };
  const row = area.height / Math.max(lines.length, 4);
  const x = (at: number) => area.left + ((at - span.from) / (span.to - span.from)) * area.width;
  const drawn = lines.map(({ name, values }, at) => {
    const top = area.top + at * row;
    const parts = values.map(([time, value], index) => {
      const end = values[index + 1]?.[0] ?? time;
      return `<rect x="${x(time).toFixed(1)}" y="${top}" width="${(x(end) - x(time) + 0.5).toFixed(1)}" height="${row - 4}" fill="${value === 1 ? '#3274d9' : '#37393f'}"/>`;
    });
    return `<text x="${area.left - 8}" y="${top + row / 2 + 2}" fill="${FAINT}" text-anchor="end">${escaped(name)}</text>${parts.join('')}`;
  });
  return drawn.join('') + clocks(area, span);
}

interface Area extends Box {
  readonly left: number;
  readonly top: number;
}

function clocks({ left, top, width, height }: Area, { from, to }: Span): string {
  return [0, 0.25, 0.5, 0.75]
    .map((part) => {
      const clock = new Date((from + part * (to - from)) * 1_000).toISOString().slice(11, 19);
      return `<text x="${left + part * width}" y="${top + height + 15}" fill="${FAINT}" text-anchor="middle">${clock}</text>`;
    })
    .join('');
}

function big({ width, height }: Box, lines: readonly Line[], unit: string, thresholds: readonly Threshold[]): string {
  const last = lines[0]?.values.at(-1)?.[1];
  const name = thresholds.findLast(({ value }) => value === null || (last !== undefined && last >= value))?.color ?? 'text';
  const text = last === undefined ? 'none' : inUnit(last, unit);
  return `<text x="${width / 2}" y="${height / 2 + 22}" fill="${NAMED[name] ?? TEXT}" font-size="32" text-anchor="middle">${escaped(text)}</text>`;
}

function chart({ width, height }: Box, lines: readonly Line[], unit: string, { from, to }: Span, filled: boolean): string {
  const legend = legendOf(lines, width - AXIS_PX);
  const area = {
    left: AXIS_PX,
    top: TITLE_PX + 6,
    width: width - AXIS_PX - 12,
    height: height - TITLE_PX - 34 - legend.length * LEGEND_PX,
  };
  const scale = unit === 'bytes' ? MIB : 1;
  const highest =
    scale * niceAbove(Math.max(...lines.flatMap(({ values }) => values.map(([, value]) => value).filter(Number.isFinite)), 0) / scale);
  const x = (at: number) => area.left + ((at - from) / (to - from)) * area.width;
  const y = (value: number) => area.top + area.height - (value / highest) * area.height;
  const grid = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * highest);
    const text = `<text x="${area.left - 6}" y="${at + 4}" fill="${FAINT}" text-anchor="end">${inUnit(part * highest, unit)}</text>`;
    return `<line x1="${area.left}" x2="${area.left + area.width}" y1="${at}" y2="${at}" stroke="${FRAME}"/>${text}`;
  });
  const drawn = lines.map(({ values }, at) =>
    partsOf(values, to - from).map((part) => {
      const line = part.map(([time, value]) => `${x(time).toFixed(1)} ${y(value).toFixed(1)}`).join('L');
      const under = `M${line}L${x(part.at(-1)?.[0] ?? from).toFixed(1)} ${y(0)}L${x(part[0]?.[0] ?? from).toFixed(1)} ${y(0)}Z`;
      // Opaque under its colour: nothing shines through of those above.
      const area = filled ? `<path d="${under}" fill="${PANEL}"/><path d="${under}" fill="${colour(at)}" fill-opacity="0.4"/>` : '';
      return `${area}<path d="M${line}" fill="none" stroke="${colour(at)}" stroke-width="1.5"/>`;
    }),
  );
  const names = legend.map(
    (row, at) => `<g transform="translate(${AXIS_PX},${height - 8 - (legend.length - 1 - at) * LEGEND_PX})">${row}</g>`,
  );
  // The highest of a stack first, so that those below it are seen.
  return [...grid, clocks(area, { from, to }), ...drawn.toReversed().flat(), ...names].join('');
}

/** Parts of a line: a gap of more than a twentieth of the time is one, as where a series ended. */
function partsOf(values: Line['values'], span: number): Line['values'][] {
  const parts: (readonly [number, number])[][] = [];
  for (const value of values.filter(([, number]) => Number.isFinite(number))) {
    const before = parts.at(-1)?.at(-1)?.[0];
    if (before !== undefined && value[0] - before < span / 20) parts.at(-1)?.push(value);
    else parts.push([value]);
  }
  return parts;
}

/** In rows, the first names. */
function legendOf(lines: readonly Line[], width: number): string[] {
  const rows: string[] = [];
  let row = '';
  let used = 0;
  for (const [at, { name }] of lines.entries()) {
    const needs = name.length * CHAR_PX + 26;
    if (used + needs > width && row !== '') {
      rows.push(row);
      row = '';
      used = 0;
    }
    row += `<rect x="${used}" y="-6" width="12" height="3" fill="${colour(at)}"/>${label(used + 16, 0, name, FAINT)}`;
    used += needs;
  }
  return [...rows, row].filter((each) => each !== '').slice(0, LINES_IN_LEGEND);
}

const colour = (at: number): string => COLOURS[at % COLOURS.length] ?? TEXT;

function label(x: number, y: number, text: string, fill: string, more = ''): string {
  return `<text x="${x}" y="${y}" fill="${fill}" ${more}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The end of an axis: 1, 2 or 5 times a power of ten. */
function niceAbove(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 5, 8, 10].find((times) => times * power >= value) ?? 10) * power;
}

function inUnit(value: number, unit: string): string {
  const short = (number: number) => String(Number(number.toPrecision(3)));
  switch (unit) {
    case 'percentunit':
      return `${short(value * 100)} %`;
    case 's':
      return value > 0 && value < 1 ? `${short(value * 1_000)} ms` : `${short(value)} s`;
    case 'bytes':
      return `${short(value / MIB)} MiB`;
    case 'reqps':
      return `${short(value)} /s`;
    case 'ops':
      return `${short(value)} /s`;
    default:
      return short(value);
  }
}
