/** Who publishes the project. Named here and in `config/manager`, and nowhere else. */
const OWNER = 'irsa-operator';
const REPOSITORY = `https://github.com/${OWNER}/irsa-operator`;

/** Where the project is published. */
export const PROJECT = {
  repository: REPOSITORY,
  docs: `${REPOSITORY}/blob/main/docs`,
  /** Without a tag. */
  image: `ghcr.io/${OWNER}/irsa-operator`,
  /** Where its Helm chart is, without a tag. */
  chart: `ghcr.io/${OWNER}/charts/irsa-operator`,
} as const;
