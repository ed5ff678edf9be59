import { providerHostPath } from '../../api/arn.ts';
import { type Issuer, issuerHostPath } from '../../api/issuer.ts';

/** More than these would make no sentence. */
const MAX_SIMILAR = 3;

const EKS_ISSUER = /^oidc[.-]eks\./;

/** What the provider's URL nearly is: the same but for case or a slash, or the same EKS issuer with another region or ID. None of them is the provider. */
export function similarTo(issuer: Issuer, arns: readonly string[]): string[] {
  const wanted = issuerHostPath(issuer);
  const withoutSlash = (text: string) => text.replace(/\/+$/, '');
  const fold = (text: string) => withoutSlash(text.toLowerCase());
  const urls = arns.flatMap((arn) => providerHostPath(arn) ?? []);
  const same = urls.filter((url) => fold(url) === fold(wanted));
  const path = withoutSlash(wanted);
  const id = path.slice(path.lastIndexOf('/') + 1);
  const moved = urls.filter((url) => EKS_ISSUER.test(url) && withoutSlash(url).endsWith(`/${id}`));
  return [...new Set([...same, ...moved])].slice(0, MAX_SIMILAR);
}
