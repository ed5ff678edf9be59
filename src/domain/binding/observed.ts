import type { AccountId, RoleArn } from '../../api/arn.ts';
import type { IrsaBinding } from '../../api/binding.ts';
import type { DueLoss } from '../authorization/loss.ts';
import type { PodsInput } from '../pods/input.ts';
import type { Contention } from '../state/contention.ts';
import type { Reach } from '../state/reach.ts';
import type { ReconcileRequest } from '../state/reconcile-request.ts';
import type { EntryKey } from '../state/role-entry.ts';
import type { Verdict } from '../state/verdict.ts';
import type { Proof, VerificationInput } from '../verification/proof.ts';

/** Everything that the decision about one binding rests on, gathered from stores: no call leaves the process for it. */
export interface Observed extends VerificationInput, PodsInput {
  /** Whether the account of a role answers. */
  readonly reachOf: (role: RoleArn) => Reach;
  /** All of the same ServiceAccount, this one included: a deletion alone asks for them. */
  readonly competingBindings: () => readonly IrsaBinding[];
  /** Which of them has the ServiceAccount. */
  readonly winner: () => IrsaBinding | undefined;
  /** The loss of what stands for the binding's subject, as the revocation record has it; undefined where it lost nothing. */
  readonly lossOf: (entry: EntryKey) => DueLoss | undefined;
  /** A grant covers what may stand for the binding's subject, or nothing is ever revoked for want of one. */
  readonly isCovered: (entry: EntryKey) => boolean;
  /** For the binding's subject, which competing bindings share. */
  readonly verdictOn: (entry: EntryKey) => Verdict | undefined;
  /** Why the last attempt to read a role, or the provider of an account, came to nothing; undefined where it did not. */
  readonly failureOf: (of: RoleArn | AccountId) => string | undefined;
  /** The CRD of bindings itself is being deleted: nobody asked for an end of this one. */
  readonly crdDeleting: boolean;
  /** Over the annotations of this ServiceAccount. */
  readonly contention: Contention;
  /** A reconcile that the user requested. */
  readonly request: ReconcileRequest | undefined;
  /** What STS said so far, of this binding or of what it was before. */
  readonly proof: Proof | undefined;
}
