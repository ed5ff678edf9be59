/** What it takes to reach the API server at this moment. */
export interface Endpoint {
  /** Without a trailing slash. */
  readonly url: string;
  /** `Authorization` and impersonation; a list is a header for each. Never to be logged. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly tls: Tls;
  readonly proxy?: string;
}

/** PEM texts. Together with the proxy they decide which connections may be shared. */
export interface Tls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface Connection {
  /** Cheap to ask before every request; reads files again when what is known is a minute old. */
  endpoint(): Promise<Endpoint>;
  /** The API server refused the credentials: the next `endpoint()` reads everything anew. */
  refresh(): void;
}
