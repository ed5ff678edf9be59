/** The webhook answers from a cache and IAM spreads a change: restarting sooner makes pods that are still wrong, and pods made sooner show nothing. */
export const SETTLE_MS = 10_000;
