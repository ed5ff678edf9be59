import { stringify } from 'yaml';
import type { Json } from './statements.ts';

/** Values of a template: functions too. */
type InTemplate = string | readonly InTemplate[] | { readonly [key: string]: InTemplate };

/** With each text in place of what `filledIn` says of it: a function of CloudFormation, or the text. */
export function inTemplate(value: Json, filledIn: (text: string) => InTemplate): InTemplate {
  if (typeof value === 'string') return filledIn(value);
  if (Array.isArray(value)) return value.map((item: Json) => inTemplate(item, filledIn));
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inTemplate(one, filledIn)]));
}

export const document = (statements: readonly object[]) => ({ Version: '2012-10-17', Statement: statements });

/** CloudFormation reads YAML 1.1, and no aliases. */
export const written = (template: object): string =>
  stringify({ AWSTemplateFormatVersion: '2010-09-09', ...template }, { lineWidth: 140, version: '1.1', aliasDuplicateObjects: false });
