import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly containerPort: number }[];
  readonly resources: { readonly limits: { readonly memory: string } };
  readonly securityContext?: object;
}
interface Deployment {
  readonly spec: { readonly template: { readonly spec: { readonly securityContext?: object; readonly containers: readonly [Container] } } };
}

/** The pods of config/manager, and the one container that each of them has. */
export const pod = (parse(readFileSync('config/manager/deployment.yaml', 'utf8')) as Deployment).spec.template.spec;
export const [container] = pod.containers;

/** Its memory limit. */
export function memoryBytes(): number {
  const [, mebibytes] = /^(\d+)Mi$/.exec(container.resources.limits.memory) ?? [];
  return Number(mebibytes) * 2 ** 20;
}

/** Its arguments, for a pod in this namespace. */
export function argsIn(namespace: string): string[] {
  return container.args.map((arg) => arg.replace('$(POD_NAMESPACE)', namespace));
}
