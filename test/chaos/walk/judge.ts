import { pathOf } from '../../harness/objects.ts';
import { statementsIn } from '../../harness/policies.ts';
import { type Binding, conditionOf, type Grant, ROLE_ARN, rolesOfPod } from '../../harness/views.ts';
import { standing } from './documents.ts';
import { look, type Seen } from './look.ts';
import { AUDIENCES, PAUSED, subjectOf, trustKey, type World } from './world.ts';

export interface Judgement {
  /** What is not as it should be at the end; empty when all has converged. */
  readonly wrong: readonly string[];
  /** Of bindings, by reason of `Ready`. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The same as long as nothing is written. */
  readonly fingerprint: string;
}

/** Whether everything is as the contract says, once nothing happens any more. */
export async function judge(world: World): Promise<Judgement> {
  const seen = await look(world);
  const wrong = [...wrongIn(seen, world), ...(await wrongByTokens(seen, world))];
  const reasons: Record<string, number> = {};
  for (const binding of seen.bindings) {
    const reason = conditionOf(binding, 'Ready')?.reason ?? 'none';
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  const versions = seen.bindings.map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`);
  return { wrong, reasons, fingerprint: JSON.stringify([versions, [...seen.roles.values()]]) };
}

/** All but what only STS can tell. */
export function wrongIn(seen: Seen, left: Pick<World, 'retained' | 'annotated'>): string[] {
  return [
    ...seen.bindings.flatMap((binding) => wrongWithBinding(binding, seen)),
    ...wrongWithTrust(seen, left),
    ...wrongWithAnnotations(seen, left),
  ];
}

const nameOf = ({ metadata }: Binding) => `${metadata.namespace}/${metadata.name}`;
const accountOf = ({ metadata, spec }: Binding) => `${metadata.namespace}/${spec.serviceAccountName}`;
export const subject = ({ metadata, spec }: Binding) => subjectOf(metadata.namespace, spec.serviceAccountName);
export const acts = ({ spec, metadata }: Binding) => metadata.deletionTimestamp === undefined && spec.mode === 'Enforce' && !spec.suspend;

/** `*` stands for a run of characters without `/`. */
function fits(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^$()[\]{}|\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[^/]*')}$`).test(text);
}

/** What a grant is asked for: by a binding, or for a subject that stands. */
export interface Asked {
  readonly namespace: string;
  readonly serviceAccountName: string;
  readonly roleArn: string;
  readonly audience: string;
}

/** Without the tags that it asks of the role. */
export function coveringGrants({ namespace, serviceAccountName, roleArn, audience }: Asked, { grants, labels }: Seen): readonly Grant[] {
  const has = labels.get(namespace) ?? {};
  return grants.filter(
    ({ spec: { roleArns, namespaces, serviceAccountNames, audiences } }) =>
      roleArns.some((pattern) => fits(pattern, roleArn)) &&
      serviceAccountNames.some((pattern) => fits(pattern, serviceAccountName)) &&
      audiences.includes(audience) &&
      (namespaces.names?.includes(namespace) ||
        (namespaces.selector !== undefined && Object.entries(namespaces.selector.matchLabels).every(([key, value]) => has[key] === value))),
  );
}

const askedOf = ({ metadata: { namespace }, spec }: Binding): Asked => ({ ...spec, namespace });
const grantsFor = (binding: Binding, seen: Seen) => coveringGrants(askedOf(binding), seen);

/** The older one has the ServiceAccount, and among those of one second the first by name. */
export function isTaken(binding: Binding, seen: Seen): boolean {
  const order = (one: Binding) => `${one.metadata.creationTimestamp} ${one.metadata.name}`;
  return (
    acts(binding) &&
    seen.bindings.some(
      (competing) =>
        accountOf(competing) === accountOf(binding) &&
        acts(competing) &&
        grantsFor(competing, seen).length > 0 &&
        order(competing) < order(binding),
    )
  );
}

/** A grant covers it, and the role has the tags that this grant asks for. */
export function isCovered(asked: Asked, seen: Seen): boolean {
  const tags = seen.roles.get(asked.roleArn)?.tags ?? {};
  return coveringGrants(asked, seen).some(({ spec }) => Object.entries(spec.requiredRoleTags).every(([key, value]) => tags[key] === value));
}

function expectedAuthorized(binding: Binding, seen: Seen): string {
  if (grantsFor(binding, seen).length === 0) return 'NotGranted';
  if (isTaken(binding, seen)) return 'ServiceAccountTaken';
  const { spec } = binding;
  // Who enforces an audience that the provider lacks is stopped before anything is asked about the role. All others learn of it, also those
  // that only look: by its tags. A role that is not there has none, and nobody is to learn of that.
  const asks = !acts(binding) || spec.trustPolicy === 'External' || spec.audience !== AUDIENCES[2];
  return asks && !isCovered(askedOf(binding), seen) ? 'NotGranted' : 'Granted';
}

function wrongWithBinding(binding: Binding, seen: Seen): string[] {
  const { metadata, spec, status } = binding;
  if (metadata.deletionTimestamp !== undefined) return [`${nameOf(binding)} is still being deleted: ${JSON.stringify(status?.conditions)}`];
  const wrong: string[] = [];
  const say = (text: string) => wrong.push(`${nameOf(binding)} (${JSON.stringify(spec)}): ${text}`);
  const told = (type: string) => {
    const found = conditionOf(binding, type);
    return found === undefined ? 'absent' : `${found.status} ${found.reason}: ${found.message}`;
  };
  const is = (type: string, expected: string, reason?: string) => {
    const found = conditionOf(binding, type);
    if (found?.status === expected && (reason === undefined || found.reason === reason)) return true;
    say(`${type} is ${told(type)}; a fresh look says ${expected} ${reason ?? ''}`);
    return false;
  };
  if (status?.observedGeneration !== metadata.generation)
    say(`the status is of generation ${status?.observedGeneration}, the spec of ${metadata.generation}`);
  if (conditionOf(binding, 'Reconciling') !== undefined) say(`still at it: ${told('Reconciling')}`);

  const authorized = expectedAuthorized(binding, seen);
  if (!is('Authorized', authorized === 'Granted' ? 'True' : 'False', authorized)) return wrong;
  if (authorized !== 'Granted') {
    if (/Its trust is revoked at/.test(told('Authorized'))) say(`waits: ${told('Authorized')}`);
    is('Ready', 'False', authorized);
    return wrong;
  }
  if (spec.audience === AUDIENCES[2]) {
    is('ProviderReady', 'False', 'OidcProviderAudienceMissing');
    return wrong;
  }
  if (!is('ProviderReady', 'True')) return wrong;
  if (conditionOf(binding, 'Trusted')?.status !== 'True') {
    const why = whyNotTrusted(binding, seen);
    if (why === undefined) say(`Trusted is ${told('Trusted')}; nothing hinders it`);
    // An owner's limit that is not known before the call leaves it Undecidable, with the limit as a finding.
    else if (why !== 'theirs' && ![conditionOf(binding, 'Trusted')?.reason, ...codesOf(binding)].includes(why))
      say(`Trusted is ${told('Trusted')}; a fresh look says ${why}`);
    return wrong;
  }
  const account = seen.accounts.get(accountOf(binding));
  if (account === undefined) {
    is('Annotated', 'Unknown', 'AwaitingServiceAccount');
    return wrong;
  }
  const carries = account.metadata.annotations?.[ROLE_ARN] === spec.roleArn;
  const asks = account.metadata.annotations?.['eks.amazonaws.com/audience'] ?? AUDIENCES[0];
  if (acts(binding) && (!carries || asks !== spec.audience)) say(`the annotations are ${JSON.stringify(account.metadata.annotations)}`);
  if (acts(binding)) is('Annotated', 'True');
  if (conditionOf(binding, 'Annotated')?.status === 'True' && !carries) say(`Annotated is True, the annotation is not`);
  const pods = seen.pods.get(accountOf(binding)) ?? [];
  const current = pods.filter((pod) => rolesOfPod(pod)[0] === spec.roleArn).length;
  if (status?.pods?.total !== pods.length) say(`status.pods is ${JSON.stringify(status?.pods)}; there are ${pods.length}`);
  if (acts(binding) && spec.restart.strategy !== 'Never' && current !== pods.length)
    say(`${current} of ${pods.length} pods have the role: ${told('PodsCurrent')}`);
  if (conditionOf(binding, 'PodsCurrent')?.status === 'True') is('Ready', 'True');
  return wrong;
}

const codesOf = ({ status }: Binding): string[] => (status?.findings ?? []).map(({ code }) => code);

/** What hinders trust; `theirs` where it is for somebody else to write it; undefined where nothing does. */
function whyNotTrusted(binding: Binding, seen: Seen): string | undefined {
  const role = seen.roles.get(binding.spec.roleArn);
  if (role === undefined) return 'RoleNotFound';
  const name = subject(binding)
    .replace('system:serviceaccount', '')
    .replace(/[^a-z]/g, '');
  const sids = statementsIn(role.text).map(({ Sid }) => Sid);
  const { audience, trustPolicy } = binding.spec;
  if (audience === AUDIENCES[0] && sids.includes(`denies${name}`)) return 'TrustExplicitDeny';
  if (audience === AUDIENCES[0] && sids.includes(`restricts${name}`)) return 'TrustRestrictedByOwner';
  if (!acts(binding) || trustPolicy === 'External') return 'theirs';
  const [paused] = Object.entries(PAUSED);
  return paused !== undefined && role.tags[paused[0]] === paused[1] ? 'RolePaused' : undefined;
}

/** Each subject in the statement of irsa-operators is some binding's, by its status, or was left by one that is gone; each that is wanted is there. */
function wrongWithTrust(seen: Seen, { retained }: Pick<World, 'retained'>): string[] {
  const remembered = new Set(
    seen.bindings.flatMap((binding) => (binding.status?.roles ?? []).map(({ arn, audience }) => trustKey(arn, subject(binding), audience))),
  );
  const stands = new Set<string>();
  for (const [arn, { text }] of seen.roles)
    for (const one of standing(text, seen.issuer)) stands.add(trustKey(arn, one.subject, one.audience));
  const nobodys = [...stands].filter((key) => !remembered.has(key) && !retained.has(key) && !key.includes('irsa-operator'));
  const missing = seen.bindings
    .filter((binding) => conditionOf(binding, 'Trusted')?.reason === 'AllowedByOperator')
    .filter((binding) => !stands.has(trustKey(binding.spec.roleArn, subject(binding), binding.spec.audience)));
  const left = seen.bindings.flatMap((binding) => {
    const others = (binding.status?.roles ?? []).filter(
      ({ arn, audience }) => arn !== binding.spec.roleArn || audience !== binding.spec.audience,
    );
    return acts(binding) && conditionOf(binding, 'Ready')?.status === 'True' && others.length > 0
      ? [`${nameOf(binding)} is Ready and still stands on ${JSON.stringify(others)}`]
      : [];
  });
  return [
    ...nobodys.map((key) => `the statement of irsa-operator has ${key}, which no binding stands on`),
    ...missing.map((binding) => `${nameOf(binding)} says AllowedByOperator, and does not stand on ${binding.spec.roleArn}`),
    ...left,
  ];
}

/** What we hold of a ServiceAccount is for a binding that is there, or was left by one that is gone. */
function wrongWithAnnotations({ accounts, bindings }: Seen, { annotated }: Pick<World, 'annotated'>): string[] {
  const bound = new Set(bindings.map(accountOf));
  return [...accounts].flatMap(([key, { metadata }]) => {
    const ours = (metadata.managedFields ?? []).some(
      ({ manager, fieldsV1 }) => manager === 'irsa-operator' && JSON.stringify(fieldsV1).includes(ROLE_ARN),
    );
    if (!ours || bound.has(key) || annotated.has(key)) return [];
    return [`ServiceAccount ${key} carries ${metadata.annotations?.[ROLE_ARN]} by us, and no binding names it`];
  });
}

/** `Trusted` says what STS does with a token. */
async function wrongByTokens(seen: Seen, { api, ask }: World): Promise<string[]> {
  const wrong: string[] = [];
  for (const binding of seen.bindings) {
    const { namespace } = binding.metadata;
    const { serviceAccountName, audience, roleArn } = binding.spec;
    const trusted = conditionOf(binding, 'Trusted');
    const judged = trusted?.status === 'True' || (trusted?.status === 'False' && trusted.reason !== 'Waiting');
    if (!judged || !seen.accounts.has(accountOf(binding)) || audience === AUDIENCES[2]) continue;
    const path = `${pathOf('serviceaccounts', { namespace, name: serviceAccountName })}/token`;
    const { status } = await api.call<{ status: { token: string } }>('POST', path, { body: { spec: { audiences: [audience] } } });
    const isLetIn = await ask(roleArn, status.token);
    if (isLetIn !== (trusted?.status === 'True'))
      wrong.push(`${nameOf(binding)}: Trusted is ${trusted?.status} ${trusted?.reason}, and STS ${isLetIn ? 'lets it in' : 'refuses it'}`);
  }
  return wrong;
}
