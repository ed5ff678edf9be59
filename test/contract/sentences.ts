/**
 * What the product promises, sentence by sentence, by section. A test says `// Contract: <id>` in the line above it when it proves one;
 * docs/conformance.md lists them with their tests (`npm run generate`).
 */
export const CONTRACT = {
  API: {
    'api-one-schema':
      'One zod schema is the source of the types, the parser and `crds/*.yaml`; validation is in the CRD schemas, there is no webhook of ours.',
    'api-defaults': 'What is optional has the defaults of the contract.',
    'api-names': 'A binding is namespaced, a grant is not; `irsab` and `irsag` are short for them, `irsa` and `aws` are their categories.',
    'api-columns': '`kubectl get` shows READY, REASON, SERVICEACCOUNT, ROLE, PODS and AGE; `-o wide` adds POLICY and MODE.',
    'api-immutable': 'The ServiceAccount of a binding cannot be changed, its role can.',
    'api-arn': 'Eight AWS partitions, role paths and every character of a role name are taken exactly.',
    'api-grant-patterns': 'In a grant `*` never crosses `/`, and the account is always literal.',
    'api-grant-selector': 'A grant has names or a selector of namespaces; an empty selector is refused.',
    'api-grant-unreadable':
      'A stored grant that cannot be read grants nothing. An Event of the Lease and a line in the log say which and why, and again each hour.',
    'api-audience-refused': 'An audience of the API server itself is always refused.',
    'api-audience-advice':
      'Where the API server takes the audience of STS, `--api-audiences` is named as what has to change, and no other audience is advised.',
    'api-audience-reread':
      'The audiences of the API server are read again every few minutes: after a change bindings continue by themselves.',
    'api-default-deny': 'A binding that no grant covers by ARN, namespace, name and audience gets `Authorized=False, NotGranted`.',
    'api-no-call-ungranted': 'Not one AWS call is made for a binding without a grant, except to release its own subject.',
    'api-tags-fresh': 'Tags that a grant asks for are read afresh before each write.',
    'api-tag-same-text': 'A missing role tag gives the text of a missing grant, so that the message does not tell whether the role exists.',
    'api-told-after-consent':
      'What AWS answered about a role is told only after the consent was checked on that answer: without it, and for another path that no grant covers, the text tells nothing.',
    'grant-limit-bindings':
      'A grant may bound `spec.limits.bindingsPerNamespace`: the older bindings come first, counted a change at a time.',
    'grant-limit-subjects': 'A grant may bound `spec.limits.subjectsPerNamespace`, counted for each role, orphans included.',
    'grant-limit-keeps': 'A limit stops newcomers and revokes nothing.',
    'api-grants-read-only': 'The operator can read grants and never write them.',
    'api-own-role':
      "The operator's own role (and each role it assumes on the way) is never a target, whatever a grant says; `config/iam` denies it too.",
    'api-own-role-hops': 'Each role that the operator assumes on the way is never a target either.',
  },
  'Rules above all steps': {
    'rule-positive-evidence':
      'Trust is taken away only on positive evidence, never because something is missing from a list, a cache or a status.',
    'rule-subjects': 'The subjects of our statement are (standing and wanted) without released.',
    'rule-orphan': 'A subject that stands in our statement and that no binding names is reported (`TrustOrphaned`) and kept.',
    'rule-prune': 'An orphan is removed only by `irsa-operator prune --confirm`.',
    'rule-grant-lost-60s':
      'A grant that was deleted or narrowed acts after 60 s, confirmed by an uncached read; a rename in Git costs nothing.',
    'rule-grant-lost-10min': 'A namespace label or a role tag that went acts after 10 minutes.',
    'rule-entry-by-entry':
      'Each subject that stands in a statement of ours needs a grant that covers it now: what its namespace may write never delays or prevents a revocation.',
    'rule-revocation-record':
      'The time of a loss counts from a record in the namespace of the operator: a restart neither forgets nor renews it.',
    'rule-ungranted':
      'A subject that no grant was ever seen to cover is reported at once (`TrustUngranted`), and revoked after `--ungranted-grace`.',
    'rule-loss-evidence':
      'A grant counts as gone by an uncached list without its uid, as narrowed by a greater generation; a CRD with another uid, an unreadable grant and a refusal are no evidence.',
    'rule-prune-ungranted':
      '`irsa-operator prune --ungranted --confirm` revokes at once on the same evidence, and where there is none it never says that a grant covers everything.',
    'rule-no-grant-seen':
      'After a start with no grant at all nothing is revoked before one is seen, or confirmed on the Namespace of the operator.',
    'rule-revocation-paused':
      'More than ten losses within an hour, five at most counted for a namespace, stop that until `irsa-operator.dev/revocation-confirmed` says go on.',
    'rule-crd-deleted': 'While either CRD is being deleted, everything is retained.',
    'rule-leave-alone':
      '`suspend` and `mode: Observe` keep what stands and write nothing but status, the Lease, Events and the removal of a finalizer; deleted in that state, a binding behaves as `Retain`.',
    'rule-dry-run': '`--dry-run` keeps what stands and writes nothing but status, the Lease, Events and the removal of a finalizer.',
    'rule-external': '`trustPolicy: External` releases our subject only once the document without it still allows.',
    'rule-status-hint': "Because of an entry in `status.roles` at most this binding's own subject is removed.",
    'rule-ages-monotonic': 'Ages inside the process rest on monotonic time: a wall clock that is set makes nothing old, young or due.',
    'rule-least-recheck': 'Nothing is checked again within a second because of a time alone.',
    'rule-paused': 'The role tag `irsa-operator.dev/paused=true` stops every write to that role but a revocation.',
    'rule-user-agent': 'Calls carry a user agent with name, version and cluster, for CloudTrail.',
  },
  'Knowing the cluster, and its provider': {
    'step-order': 'A step that cannot go on names its reason and stops the later ones.',
    'cluster-issuer': 'The issuer is what the API server says; `--eks-cluster-name` cross-checks it, `--oidc-issuer` overrides.',
    'cluster-exact': 'The issuer is taken exactly as it is, a slash at its end included.',
    'webhook-audience':
      'Where a pod made since the annotation shows that the webhook gives another audience, the audience is annotated before any other pod is restarted.',
    'webhook-flags':
      'The `--token-audience`, `--annotation-prefix` and `--token-mount-path` of the webhook are flags of the operator, which annotates and judges by them.',
    'cluster-not-public':
      'An issuer that AWS cannot reach is told as `IssuerNotPublic`: no provider is asked for, created or advised, and `--service-account-issuer` and `--oidc-issuer` are named.',
    'cluster-nothing-unknown': 'Nothing is ever written while the issuer is unknown or the sources disagree.',
    'provider-ready': "The role's account has an OIDC provider for exactly this issuer, with the audience among its client IDs.",
    'provider-manage': '`--manage-oidc-provider` lets the operator create it, with the client IDs of the flag and no others.',
  },
  Trust: {
    'trust-as-sts': 'The policy is evaluated as STS would: allowed, denied, or unknown with the reason.',
    'trust-allowed': 'Allowed by others: nothing is written, and the status says so (`managedBy: Others`).',
    'trust-deny': 'A Deny that matches: say so, write nothing (`TrustExplicitDeny`).',
    'trust-may-deny': 'A Deny that may match: write, and `Trusted=Unknown` until proved.',
    'trust-restricted':
      "A foreign Allow for this subject that fails only through other keys is its owner's will: write nothing, `TrustRestrictedByOwner`.",
    'trust-restricted-principal':
      "A foreign Allow restricts when its action, its principal and every condition on this issuer's claims are not false; its principal names this provider, or is `*` or `NotPrincipal` with a condition on this issuer.",
    'trust-slips':
      'Slips (a key or value that is nearly ours) are judged as if mended: whatever still limits then is will; if nothing does, the statement is a mistake and is no obstacle.',
    'trust-own-statement':
      'Our statement: one per role and (issuer, audience), its Sid a hash over both, sorted `sub` list, `StringEquals` on `sub` and `aud`.',
    'trust-no-wildcard': 'Never an Allow without `sub`, never a wildcard.',
    'trust-lost-update': 'A write that somebody overwrote is made again after a wait with full jitter.',
    'trust-one-writer': 'One writer for each role in the process.',
    'trust-sid-taken': 'With our Sid and another shape a statement is foreign: `TrustSidTaken`, no write.',
    'trust-changed-statement':
      'While a statement with our Sid and another shape still lets the subject in nothing counts as released: `TrustRevocationBlocked`.',
    'trust-byte-for-byte': 'Every other statement is carried over byte for byte in what we send.',
    'trust-by-meaning': 'What comes back is compared by meaning: IAM reorders when it stores.',
    'trust-fixpoint': 'Nothing is written when the meaning would not change.',
    'trust-quota': "The size is counted against the account's quota before the call, without white space.",
    'trust-newcomer': 'When not all subjects fit, the older bindings keep their place and the newcomer is told `TrustPolicyTooLarge`.',
    'trust-full-names': 'A full policy names first which statements could go, and why.',
    'trust-absent': 'A ServiceAccount that does not exist is not added where space is short; what stands stays.',
    'trust-read-before-write': 'Read right before writing; when the document changed since it was last seen, wait and read again.',
    'trust-read-back':
      'The whole document is read back at 2 s and 8 s, as a recheck and not as a waiting worker; presence is believed at 2 s, absence only at 8 s.',
    'trust-shared-read-back':
      'Read-backs of many roles are one list: it proves that a write is there, by the whole document, and nothing else. Then the role is read by itself.',
    'trust-ambiguous': 'A write whose answer is lost is found by reading, and not made twice.',
    'trust-clusters': 'Thirty-two clusters sharing one role all end up in it.',
    'trust-one-write': 'All bindings of a role are one write.',
    'trust-last-statement': 'The last statement of a document stays, with a `sub` that no token can carry.',
    'trust-stays': 'Once a subject is in our statement it stays until it is released, also when a foreign statement comes to allow it too.',
    'trust-intent-first': 'The finalizer and the entry in `status.roles` are on the API server before the first write to a role.',
    'trust-recreated': 'A role that was deleted and made again is authorized anew, tags included, before a write.',
  },
  Annotate: {
    'annotate-own-keys': 'Server-side apply of our keys only, also when the value is right already.',
    'annotate-uid': "With the object's uid, so that an apply never creates a ServiceAccount.",
    'annotate-wrong': 'A wrong value is replaced, with an Event that names the old value and its field manager.',
    'annotate-own-request':
      'What is changed within our own request (a mutating webhook or policy) is a mismatch at once and `Contended` at the third time.',
    'annotate-awaiting': 'A missing ServiceAccount is waited for, not created, and does not hold back `Ready`.',
    'annotate-confined':
      'Of a ServiceAccount the operator may change only `eks.amazonaws.com/*` annotations, of a workload only the restart annotation.',
    'annotate-admission': '`config/admission`: a ServiceAccount is annotated in the request that creates it.',
    'annotate-admission-only':
      'It annotates on CREATE only, and only for bindings that are `Authorized` at their current generation, enforcing, not suspended, deleting or taken.',
    'annotate-admission-ignore': '`failurePolicy: Ignore`: it never keeps anybody from creating a ServiceAccount.',
  },
  'The operator confined': {
    'confined-installed':
      'The admission policies confine the ServiceAccount that is installed, under whatever name, in whatever namespace.',
    'confined-status': 'A policy lets only the operator write `irsabindings/status`.',
    'confined-proved':
      'At its start and every hour the operator proves by dry runs that each policy confines it: the refusal names the policy, and what it needs is accepted; else `irsa_confined 0` and an Event.',
    'confined-unknown': 'A request that fails, or that cannot be tried, is unknown: `irsa_confined` then has no series.',
  },
  Prove: {
    'prove-opt-in': 'The proof is opt-in by the grant and by installing `config/verification`.',
    'prove-confined': 'The permission to ask for tokens comes with a fail-closed policy: one audience of a list, ten minutes.',
    'prove-session': 'The call has a session policy that denies everything; token and credentials are in no log, Event, metric or status.',
    'prove-budget': 'Proofs wait for a turn, five a second, and hold no worker between their rounds.',
    'prove-modes': '`OnChange` proves what changed, `Periodic` also once a day, and a restart of the operator proves nothing anew.',
    'prove-answers': 'Each answer of STS has its finding, with the words of STS.',
    'prove-three': 'AccessDenied is retried for 60 s; proved means three successes over 10 s.',
  },
  Pods: {
    'pods-current':
      'A pod is current when each container of its template that the webhook would touch carries role, token path and audience.',
    'pods-template':
      'Containers are judged one by one, by what the webhook would make of them now: what the template fixes is reported for that container and never stops the mending of the others.',
    'pods-barred':
      'A foreign mount on the path of the webhook, or a token lifetime that Kubernetes refuses: such a pod is never evicted, and reported.',
    'pods-static':
      'Other credentials in the environment of a container are a Warning that names workload, container and variables; they hold nothing back, and `Ready` does not say without a remark that all agree.',
    'pods-static-source':
      'Where such a variable comes from is said: the template, a Secret and its key by name, or another webhook or an older template.',
    'pods-none': 'Without a pod `Ready` says that none runs as the ServiceAccount, and not that pods agree.',
    'pods-settle': 'Restarts begin 10 s after both the annotation and the confirmed trust, or when the proof succeeds.',
    'pods-canary': 'One pod of a workload first; only when its replacement came back current and ready the others.',
    'pods-canary-choice': 'An unready one before a ready one; of a StatefulSet the lowest unready ordinal, else the highest.',
    'pods-stalled': '10 minutes without a ready canary: `RestartStalled`.',
    'pods-ineffective': 'A replacement that is still stale: one retry, then `RestartIneffective` with the cause.',
    'pods-budget': 'The budget counts the ready pods that we take away: `maxUnavailable` (percentages round up) and PodDisruptionBudgets.',
    'pods-uid': "Evictions carry the pod's uid.",
    'pods-unready-deleted': 'An unready pod of a ReplicaSet that a budget holds is deleted.',
    'pods-statefulset-blocked': 'An unready pod of a StatefulSet behind a budget is reported (`EvictionBlocked`) and retried, paced.',
    'pods-two-budgets': 'Two budgets on one pod: `MultiplePDBs`.',
    'pods-left-alone':
      'Pods that no ReplicaSet, StatefulSet or DaemonSet controls only with `irsa-operator.dev/restart: evict`; some never.',
    'pods-held':
      'A StatefulSet or DaemonSet with `OnDelete`, and a workload whose newer template is held back, is left to its owner and reported.',
    'pods-advice': 'The advice for a pod that is left alone can be followed, and says what its owner does then.',
    'pods-one-attempt':
      'One attempt per workload and desired state, recorded before the first eviction (32 entries at most), so that a restart of the operator repeats nothing.',
    'pods-ready-too-soon': 'No `Ready=True` while a restart of ours is under way, whatever the order of the watches.',
    'pods-stray':
      'A workload that has the name of the ServiceAccount and runs as another one is told, Jobs and CronJobs included, with both readings.',
    'pods-strategy': '`Never` restarts nothing; after a mere trust repair `Unready`, `Always` or `Never` says which pods are restarted.',
    'pods-repair-daily': 'After a mere trust repair a workload is restarted at most once a day.',
    'pods-rollout': '`Rollout` changes one annotation of the template, and needs `config/rollout`.',
  },
  Report: {
    'report-twice': 'Status is written when something changed: once for the intent, once for the outcome.',
    'report-failures': 'Also after a step that failed the status says so.',
    'report-events': 'Events tell what changed, once for each change.',
    'report-status':
      'The status tells every role on which trust of ours may stand, the size of the policy and its quota, and how many pods are current, stale and exempt.',
    'report-pace': 'Counts of pods are written every 30 s at most.',
    'report-kstatus': '`Ready`, `Reconciling` and `Stalled` are read by kstatus and `kubectl wait`.',
    'report-unseen': 'A binding that was not looked at yet is in progress for kstatus: its `observedGeneration` is -1.',
    'report-plan': '`status.plan` says in words what would be done, and `Enforce` then does those steps first.',
    'report-series': 'A deleted object leaves no series behind.',
    'metrics-problems':
      'Only bindings of which something is not True have series of their own, 1,000 at most; the rest are counted, and `--metrics-detail=full` shows all.',
    'metrics-one-scrape': 'One scrape at a time, from a rendering that is at most 5 s old, and that blocks nothing else.',
    'metrics-connections':
      'The ports of metrics and probes are apart, and a client can take neither from others by connections or half-sent requests.',
  },
  'Change and end': {
    'end-role-change': "When `roleArn` or the audience changes, the old role's trust is released after the new one works.",
    'end-revoke': 'Deletion releases our subject and removes our annotation if the value is still ours.',
    'end-namespace': 'A namespace that is deleted with everything in it takes its trust with it.',
    'end-handover': 'Another binding for the same ServiceAccount takes trust and annotation over without a gap.',
    'end-retain': '`Retain` leaves both.',
    'end-role-gone': 'A role that is gone, said by GetRole twice 60 s apart, does not hold back the deletion.',
    'end-blocked':
      "A document that IAM refuses because of somebody's deleted principal is retried 10 minutes, then `TrustRevocationBlocked`.",
    'end-unreachable': 'AWS that cannot be reached is tried again with back-off, and the status says why.',
    'end-early-checks': 'A deletion never wedges silently: while nothing can be asked or written, it names the reason.',
    'end-force': '`irsa-operator.dev/force-delete: "true"` lets go.',
    'end-never-sa': 'It never deletes a ServiceAccount.',
    'end-uninstalled': 'The operator was uninstalled before its objects: there is a documented way out.',
  },
  'Drift, contention, competing bindings, failures': {
    'drift-watched': 'What somebody changes on a ServiceAccount is repaired at once.',
    'drift-sweep': 'IAM is swept by ListRoles; where it is denied, by GetRole for each bound role, paced.',
    'drift-requested': '`reconcile-requested-at` forces a fresh look now, and is echoed in the status then.',
    'drift-limit': 'Per account and kind of call a client-side limit, halved on throttling and slowly restored.',
    'drift-order': 'Who waits is served in the order user change, drift, resync.',
    'fair-turns': 'Among equals the turns in queues, limiters and proofs go round over namespaces.',
    'fair-requests': 'A binding has one fresh look an interval; what is requested sooner waits, and the latest is handled in the end.',
    'fair-sweep': 'Reads by name are bounded in each sweep, in turns over namespaces, those first that were not read for the longest time.',
    'contention-annotation':
      'The third revert of an annotation in 10 minutes is `Contended`: who did it, at most one write per 5 minutes, and the advice.',
    'contention-lost-update':
      'A write that another cluster overwrote is no contention: a revert counts only when it had passed both read-backs.',
    'contention-day': 'The third revert in 24 hours is a finding, and repaired at once.',
    'contention-trust': 'The third revert of a trust policy in 10 minutes is `Contended`, judged by GetRole and not by a list.',
    'competing-older':
      'Of two bindings for one ServiceAccount the older one wins; the other is `Stalled`, reason `ServiceAccountTaken`, and is woken when that changes.',
    'competing-bound':
      'Of the bindings of one ServiceAccount that are not suspended the 16 oldest are evaluated; the younger ones are `Stalled` without being looked at, and a change of one wakes only those that may win.',
    slices: 'What one tenant makes is worked through in slices: a role with thousands of bindings, and a sweep, hold up nobody.',
    'unbound-audit':
      'Unbound ServiceAccounts with the annotation are audited, without a write; the result is in metrics and in the namespace of the operator.',
    'unbound-slips':
      'A misspelt key and a malformed ARN are told with or without a grant; nothing else is, so that nobody learns of a role by annotating.',
    'unbound-quotes': "A message quotes a foreign statement's values only where they nearly name this subject.",
    'failure-classes': 'Terminal failures wait for a change and set `Stalled`; transient ones are retried with back-off 1 s to 5 min.',
    'failure-apart': 'One bad binding never delays another.',
    'fleet-cluster-id':
      '`--cluster-id` is part of the Sid: of clusters with one issuer each writes, keeps and takes away its own statements alone, and nothing is pruned or released before it is said which is meant.',
    'fleet-previous-cluster-id':
      '`--previous-cluster-id` keeps what stands under the former Sid until it is moved, and nobody is out for a moment.',
    'fleet-undo-not-fought':
      'Without an ID, a subject that no binding names and that comes back after it was revoked is told as that of another cluster with this issuer, and not fought over.',
    'blue-green': '`irsa-operator prepare` and `release` write and take away the statements of another cluster.',
    'two-leaders': 'One leader writes; a standby with full caches takes over.',
  },
  'The checklist for one pod': {
    'check-one-engine': '`irsa-operator check` finds what an operator that observes finds, by the same decisions.',
    'check-commands-work': 'The commands that it prints mend what it found: the pods become Ready.',
    'check-exit-codes': 'Exit code 0: IRSA works. 1: a step fails for certain. 2: a step could not be read, and no other fails.',
    'check-without-rights':
      'What may not be read is said, with why, and stops no other step: in the cluster, in AWS, and without credentials at all.',
    'check-offline':
      'With `-f` it judges manifests, and roles of `aws iam get-account-authorization-details` or of a plan of Terraform, without a network. What files cannot say is left open, and is no failure.',
    'check-accepted':
      'What an ignore file (with a reason, and until it expires) or a baseline has decides no exit code; ignores without a finding are told.',
    'check-schema': 'The JSON of check has a schema that is published and kept; its SARIF is validated against that of SARIF.',
    'check-log': 'Of the log of a container it shows a sentence of AWS, and no other word.',
    'check-few-reads': 'One check calls AWS 6 times and reads Kubernetes 12 times at most, and never lists the pods of all namespaces.',
    'check-writes-nothing': 'It writes nothing, needs no CRD and no operator, and the rights of config/rbac/check.yaml are enough.',
  },
  'The other commands': {
    'explain-pages': '`irsa-operator explain` has the page of every finding, without a network.',
    'explain-log':
      '`explain --from-log` reads a log of any size as a stream, shows the sentences of AWS and no other word, and names the candidates with what would tell them apart.',
    'get-filters': '`get` prints the bindings, with the filters `--not-ready`, `--code`, `--suspended` and `--watch`, and ends with 0.',
    'reconcile-wait':
      '`reconcile --wait` comes back when each binding has handled the request and is Ready, and ends with 1 at the time-out.',
    'suspend-resume': '`suspend` and `resume` write where the spec says otherwise, and nowhere else.',
    'plan-effects':
      '`plan` says which documents, annotations and pods an enforcing operator changes, in its order, for bindings of the cluster and for files: and that is what the operator then does.',
    'plan-writes-nothing': '`plan` writes nothing.',
    'commands-progress':
      'What takes longer than a second says on standard error how many of how many are done, and nothing of it in a pipe.',
    'commands-color': 'A terminal gets colors, unless `NO_COLOR` is set or `--color` says otherwise.',
    'commands-stdin-once': 'Standard input that is given twice is refused.',
    'import-exact': '`import` writes bindings that observe, retain and never restart, and grants without `*` that cover exactly these.',
    'import-stable': 'A second run of `import`, also after the first was applied, prints the same.',
    'import-no-trace':
      'What is imported, enforced and deleted leaves annotations and trust policies byte for byte, and no trust is written where others allow.',
    'report-page': '`report` is one page of every binding and annotated ServiceAccount, up to 500 rows, which makes no request.',
    'commands-labels': 'Where many are meant, `-l` chooses among them by their labels, as in kubectl.',
    'completion-shells': 'bash, zsh and fish complete commands, flags, choices, files, and names from the cluster.',
    'completion-kubectl': 'kubectl completes the plugin, by `kubectl_complete-irsa`.',
    'commands-rights': 'Each command works with the rights of its file in config/rbac, and without one of them it says so.',
  },
  'Bad input': {
    'bad-arn': 'A malformed or wildcard ARN, the ARN of a policy, user or instance profile, another partition, a path left out.',
    'bad-other-account': 'A role in another account.',
    'bad-unmodifiable': 'A service-linked or `AWSReservedSSO_` role.',
    'bad-recreated': 'A role that was deleted and made again.',
    'bad-document':
      'A trust policy that is not JSON, has duplicate members, a single-object `Statement`, several kinds in one `Principal`, `NotPrincipal`, `NotAction`, unknown operators or members.',
    'bad-quota': 'A document at its quota.',
    'bad-principal': 'A foreign principal that was deleted (`AROA...`).',
    'bad-names': 'A name that is too long; unicode look-alikes.',
    'bad-status': 'A status edited by hand.',
    'bad-old-object': 'A binding that was written before the CRD had a field.',
    'bad-size':
      'Objects of 1 MiB in every field that a tenant may write, names of 253 characters, 10,000 annotations: nothing grows beyond its bound.',
  },
  Installation: {
    'install-one-source': 'The chart and kustomize install the same objects, from one source.',
    'install-bad-value': 'A value of the chart that is wrong is refused by its name.',
    'install-second': 'Another installation in the cluster is refused, by the ServiceAccount of the first.',
    'install-old-kubernetes': 'A Kubernetes that is too old for a part names the part, and goes on without it.',
    'install-values': 'Each value of the chart is on the running objects.',
    'install-wait': '`helm install --wait` waits until the replicas are ready, and for a binding until it was looked at and is Ready.',
    'install-upgrade':
      'An upgrade from the frozen CRDs and statuses of an older version, and back, loses no trust and writes nothing to AWS.',
    'install-again': 'Uninstalled and installed again: bindings, trust and pods stay, and nothing is written to AWS.',
    'install-from-kustomize': 'Helm takes over what kustomize installed: bindings, trust and pods stay, and nothing is written to AWS.',
    'install-elsewhere': 'In another namespace and under another name the confinement follows, and is proved.',
    'install-yaml': '`install.yaml` installs what `config/default` does, and names its version.',
    'install-aggregated':
      'Who has the role `edit` or `admin` of a namespace may write bindings there, and who has `view` may read them. Grants are for cluster admins.',
    'install-samples': 'Each sample in config/samples is accepted as it is.',
    'install-iam': 'config/iam is the same as JSON, for Terraform and for CloudFormation.',
    'install-iam-accounts': 'config/iam/accounts is the same as JSON, for Terraform and for CloudFormation.',
    'install-no-credentials': 'Without AWS credentials at the start it says which page helps.',
  },
  'Roles in other accounts': {
    'accounts-article':
      'With an IrsaAccount for its account a role is trusted as one of the own account is, by calls of the member role alone.',
    'accounts-never-revoke':
      'A refused AssumeRole, a suspended or a deleted IrsaAccount never revokes: trust stays, and deletions wait with the reason.',
    'accounts-object': 'The name of an IrsaAccount is the account, and its role is of that account: the API server refuses another one.',
    'accounts-trust':
      'A member role trusts the hub role by its ARN, also after that role was created again, and no other principal. It asks for the external ID where one was chosen.',
    'accounts-never':
      'A member role never writes the trust policy of itself, or of a role by which an organization administers the account, under any path.',
    'accounts-session-policy':
      'The permissions of a member, passed again as a session policy, have room in sts:AssumeRole in every partition.',
  },
  Monitoring: {
    'alerts-each': 'Each alert that ships fires for its cause, with a runbook, and is silent beside it.',
    'dashboard-data': 'Every query of every panel has data after activity.',
    'outage-played':
      'AWS is down for two hours: what was Ready stays Ready, nothing is revoked, there is one alert and no storm, and all are Ready within 5 min of its return.',
    'monitors-accepted': 'The CRDs of prometheus-operator accept what ships for it with strict validation, and refuse a typo.',
    'alerts-live': 'A real Prometheus that scrapes a real operator fires exactly the alerts of a fault: an outage of AWS is one.',
  },
  GitOps: {
    'gitops-argocd': 'For Argo CD there is a health check and an action `reconcile`, tested as Argo CD tests its own.',
    'gitops-kstatus':
      'kstatus says InProgress of a new binding, Current of one that is Ready, Failed of one that is Stalled, and Terminating of one that is being deleted.',
    'gitops-schemas': 'The JSON schemas, in the layout of CRDs-catalog, accept every sample and refuse a misspelt field.',
    'gitops-examples':
      'The examples for Argo CD and Flux are accepted by their CRDs: operator, then grants, then workloads with their bindings.',
    'gitops-order': 'In whatever order a tool applies operator, grants, bindings and workloads, all becomes Ready.',
    'gitops-other-role': 'A chart that sets another role-arn fails with a conflict until the annotation is removed from its values.',
  },
} as const satisfies Record<string, Record<string, string>>;
