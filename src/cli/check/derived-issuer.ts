/** `https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-west-1.eks.amazonaws.com`: the address of an EKS cluster begins with the ID of its issuer. */
const ENDPOINT = /^https:\/\/([0-9A-F]{32})\.[a-z0-9]+\.([a-z0-9-]+)\.eks\.(amazonaws\.com(?:\.cn)?)(?::443)?\/?$/i;

/**
 * The issuer of an EKS cluster by the address of its API server; undefined where that is no such address. That of an IPv6 cluster
 * (`eks-cluster.<region>.api.aws`) is documented without the ID (https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html).
 */
export function derivedIssuer(server: string): string | undefined {
  const [, id, region, domain] = ENDPOINT.exec(server) ?? [];
  return id === undefined ? undefined : `https://oidc.eks.${region}.${domain}/id/${id.toUpperCase()}`;
}
