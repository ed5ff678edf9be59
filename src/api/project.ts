/** Where the project is published. The one place that names its owner and its registry. */
export const PROJECT = {
  repository: 'https://github.com/irsa-operator/irsa-operator',
  /** Without a tag. */
  image: 'ghcr.io/irsa-operator/irsa-operator',
} as const;
