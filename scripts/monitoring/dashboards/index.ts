import { AWS_PAGE } from './aws.ts';
import { BINDING_PAGE } from './binding.ts';
import { OVERVIEW } from './overview.ts';
import { dashboardOf, type Page } from './panel.ts';

export const PAGES: readonly Page[] = [OVERVIEW, BINDING_PAGE, AWS_PAGE];

/** By file name. */
export function dashboards(): Record<string, string> {
  return Object.fromEntries(PAGES.map((page) => [`${page.uid}.json`, `${JSON.stringify(dashboardOf(page), undefined, 2)}\n`]));
}
