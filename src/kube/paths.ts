/** Where objects of a kind are found: `group` is empty for the core group. */
export interface ResourceType {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
}

/** Of all namespaces, or of one. */
export function collectionPath({ group, version, plural }: ResourceType, namespace?: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return namespace === undefined ? `${root}/${plural}` : `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
}

/** `namespace` is left out for what is cluster-scoped. */
export function objectPath(type: ResourceType, at: { readonly namespace?: string; readonly name: string }, subresource?: string): string {
  const path = `${collectionPath(type, at.namespace)}/${encodeURIComponent(at.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

export function apiVersionOf({ group, version }: ResourceType): string {
  return group === '' ? version : `${group}/${version}`;
}
