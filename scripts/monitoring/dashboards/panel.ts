import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  SortOrder,
  StackingMode,
  TooltipDisplayMode,
} from '@grafana/grafana-foundation-sdk/common';
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  MappingType,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

/** PromQL, and the name of each of its series: labels in double braces. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** Units of Grafana. */
type Unit = 'short' | 'percentunit' | 's' | 'bytes' | 'reqps' | 'ops';

export interface PanelOf {
  readonly title: string;
  /** What the reader is to conclude from it. */
  readonly description: string;
  readonly unit?: Unit;
  readonly queries: readonly Query[];
}

/** A page: rows of panels. */
export interface Page {
  readonly uid: string;
  readonly title: string;
  readonly variables: readonly { readonly name: string; readonly query: string }[];
  readonly rows: Readonly<Record<string, readonly Builder<Panel>[]>>;
}

const TAG = 'irsa-operator';
/** The person who opens the page chooses the Prometheus. */
const DATASOURCE = { type: 'prometheus', uid: '$' + '{datasource}' };
/** Of the 24 columns of Grafana. */
const NARROW = 4;
const WIDE = 12;
const LOW = 4;
const HIGH = 8;

/** Colours of a number by its value: each from a value on, the first one from the lowest. */
type Colours = readonly (readonly [from: number | null, colour: 'green' | 'orange' | 'red' | 'text'])[];

/** Numbers that are neither good nor bad. Without thresholds of its own, Grafana shows 80 and more in red. */
const PLAIN: Colours = [[null, 'text']];

/** One number, as it is now. */
export function number({
  title,
  description,
  unit = 'short',
  queries,
  colours = PLAIN,
}: PanelOf & { readonly colours?: Colours }): Builder<Panel> {
  const steps = colours.map(([value, color]) => ({ value, color }));
  return filled(
    new stat.PanelBuilder()
      .graphMode(BigValueGraphMode.None)
      .unit(unit)
      .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
      .span(NARROW)
      .height(LOW)
      .noValue('none'),
    title,
    description,
    queries,
  );
}

/** Lines over time. */
export function graph(of: PanelOf): Builder<Panel> {
  return lines(of);
}

function lines({ title, description, unit = 'short', queries }: PanelOf): timeseries.PanelBuilder {
  return filled(
    new timeseries.PanelBuilder()
      .unit(unit)
      .min(0)
      .fillOpacity(10)
      .legend(new common.VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true))
      .tooltip(new common.VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
      .span(WIDE)
      .height(HIGH),
    title,
    description,
    queries,
  );
}

/** Parts of a whole: lines over time, one on the other. */
export function stack(of: PanelOf): Builder<Panel> {
  return lines(of).fillOpacity(40).stacking(new common.StackingConfigBuilder().mode(StackingMode.Normal));
}

/** What is so, and since when: a bar for each series, whose values are 1 and 0. */
export function timeline({ title, description, queries }: Omit<PanelOf, 'unit'>): Builder<Panel> {
  const options = { '1': { text: 'yes', color: 'blue', index: 0 }, '0': { text: 'no', color: 'dark-gray', index: 1 } };
  const panel = new statetimeline.PanelBuilder()
    .mappings([{ type: MappingType.ValueToText, options }])
    .span(WIDE)
    .height(HIGH);
  return filled(panel, title, description, queries);
}

interface Fillable<T> extends Builder<Panel> {
  title(title: string): T;
  description(description: string): T;
  datasource(datasource: typeof DATASOURCE): T;
  withTarget(target: DataqueryBuilder): T;
}

function filled<T extends Fillable<T>>(panel: T, title: string, description: string, queries: readonly Query[]): T {
  panel.title(title).description(description).datasource(DATASOURCE);
  for (const [at, { expr, legend }] of queries.entries())
    panel.withTarget(
      new DataqueryBuilder()
        .refId(String.fromCharCode(65 + at))
        .datasource(DATASOURCE)
        .expr(expr)
        .legendFormat(legend),
    );
  return panel;
}

/** Every query of a page, with the title of its panel. */
export function queriesOf({ rows }: Page): (Query & { readonly title: string })[] {
  const panels = Object.values(rows).flatMap((row) => row.map((panel) => panel.build()));
  return panels.flatMap(({ title = '', targets = [] }) =>
    (targets as unknown as Target[]).map(({ expr, legendFormat: legend }) => ({ title, expr, legend })),
  );
}

/** What Grafana keeps of a query. */
interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}

export function dashboardOf({ uid, title, variables, rows }: Page): Dashboard {
  const dashboard = new DashboardBuilder(title)
    .uid(uid)
    .tags([TAG])
    .refresh('1m')
    .time({ from: 'now-6h', to: 'now' })
    .timezone('browser')
    .readonly()
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const { name, query } of variables)
    dashboard.withVariable(new QueryVariableBuilder(name).datasource(DATASOURCE).query(query).refresh(2).sort(1));
  for (const [name, panels] of Object.entries(rows)) {
    dashboard.withRow(new RowBuilder(name));
    for (const panel of panels) dashboard.withPanel(panel);
  }
  return dashboard.build();
}
