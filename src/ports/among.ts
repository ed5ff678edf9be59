/** Which objects of a kind are meant. */
export interface Among {
  /** Undefined: of all namespaces. */
  readonly namespace: string | undefined;
  /** By their labels, as the API server reads it. Undefined: whatever their labels. */
  readonly selector?: string | undefined;
}
