/** What the transport counts; src/observability turns each call into client-go's metric of that meaning. */
export interface KubeMetrics {
  /** rest_client_requests_total {code, method, host}, rest_client_request_duration_seconds {verb, host}; `code` is `<error>` without an answer. */
  requested(code: string, method: string, host: string, seconds: number): void;
  /** rest_client_request_retries_total {code, verb, host} */
  retried(code: string, method: string, host: string): void;
}

const nothing = () => {};
export const noKubeMetrics: KubeMetrics = { requested: nothing, retried: nothing };
