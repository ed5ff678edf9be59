/** Who publishes the project. Documents, workflows and `config/manager` name it too, and a test compares them with this. */
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
