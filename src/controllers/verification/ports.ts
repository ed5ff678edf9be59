import type { ObjectName } from '../../api/cluster.ts';
import type { Question } from '../../domain/state/question.ts';

import type { StsAnswer } from '../../domain/verification/proof.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Limiter } from '../../runtime/limiter.ts';
import type { OwnedStores, Stores } from '../stores.ts';

/** Whose token is shown to STS, and for what. */
export interface ToAsk {
  readonly serviceAccount: ObjectName;
  readonly question: Question;
}

/** One token, one call of STS, of which only the answer comes back. Throws `Fault` where there was none, and nothing else. */
export type AskSts = (what: ToAsk, signal: AbortSignal) => Promise<StsAnswer>;

export interface VerificationOptions {
  readonly stores: Stores;
  readonly owned: Pick<OwnedStores, 'proofs'>;
  readonly ask: AskSts;
  /** Of questions to STS. */
  readonly limiter: Pick<Limiter, 'take'>;
  readonly clock: Clock;
}
