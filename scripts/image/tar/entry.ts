interface Place {
  /** Without a slash at either end. */
  readonly path: string;
  /** Permission bits, such as 0o755. */
  readonly mode: number;
  /** Of the user and of the group. 0 without it. */
  readonly owner?: number;
}

/** What stands in a layer. Hard links and devices do not. */
export type Entry =
  | (Place & { readonly kind: 'file'; readonly content: Buffer })
  | (Place & { readonly kind: 'directory' })
  | (Place & { readonly kind: 'link'; readonly target: string });

export function file(path: string, content: string | Buffer, mode = 0o644): Entry {
  return { kind: 'file', path, mode, content: Buffer.from(content) };
}

export function directory(path: string, mode = 0o755, owner = 0): Entry {
  return { kind: 'directory', path, mode, owner };
}

export function link(path: string, target: string): Entry {
  return { kind: 'link', path, mode: 0o777, target };
}
