import type { Metafile } from 'esbuild';

/** The folders of all packages of which something is in the bundle, sorted. A package that was read and of which nothing was left is none of them. */
export function bundledFolders({ outputs }: Metafile): string[] {
  const inputs = Object.values(outputs).flatMap((output) => Object.entries(output.inputs));
  return [...new Set(inputs.flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? packageFolder(path) : [])))].sort();
}

/** `a/node_modules/b/node_modules/@c/d/lib/e.js` is a file of `a/node_modules/b/node_modules/@c/d`. */
function packageFolder(path: string): string[] {
  const [folder] = /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? [];
  return folder === undefined ? [] : [folder];
}
