/** Reply times grew this much over the best seen, with nothing gained: there are too many in flight. */
const TOO_SLOW = 2;
/** More in flight is worth it while it brings at least this much more per second. */
const WORTH_IT = 1.05;

/**
 * How many requests may be in flight: doubled each round until replies only get slower, which takes the last doubling
 * back; then one more a round while they are not slow; halved whenever the server pushes back. A round is as many replies
 * as are allowed in flight. After TCP's slow start and congestion avoidance (RFC 5681).
 */
export class AdaptiveLimit {
  readonly #most: number;
  #limit: number;
  #slowStart = true;
  #round: { since: number; replies: number; tokens: number; milliseconds: number };
  /** Milliseconds per token of the fastest round, and tokens per millisecond of the last. */
  #fastest = Number.POSITIVE_INFINITY;
  #rate = 0;
  #haltedAt = Number.NEGATIVE_INFINITY;

  constructor(most: number, now: number) {
    this.#most = most;
    this.#limit = Math.min(8, most);
    this.#round = emptyRound(now);
  }

  get value(): number {
    return this.#limit;
  }

  /** A reply of so many tokens that was asked for at `since`. */
  replied(since: number, tokens: number, now: number): void {
    const round = this.#round;
    round.replies++;
    round.tokens += tokens + 1; // a reply costs something however short
    round.milliseconds += now - since;
    if (round.replies >= this.#limit) this.#endRound(now);
  }

  /** Too many: counted once for all requests that were in flight then. */
  pushedBack(since: number, now: number): void {
    if (since <= this.#haltedAt) return;
    this.#haltedAt = now;
    this.#slowStart = false;
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    this.#round = emptyRound(now);
  }

  #endRound(now: number): void {
    const { since, tokens, milliseconds } = this.#round;
    const rate = tokens / Math.max(1, now - since);
    const pace = milliseconds / tokens;
    this.#fastest = Math.min(this.#fastest, pace);
    this.#limit = Math.max(1, Math.min(this.#most, this.#next(rate, pace)));
    this.#rate = rate;
    this.#round = emptyRound(now);
  }

  #next(rate: number, pace: number): number {
    const slow = pace > this.#fastest * TOO_SLOW;
    if (!this.#slowStart) return slow ? this.#limit : this.#limit + 1;
    if (!slow || rate > this.#rate * WORTH_IT) return this.#limit * 2;
    this.#slowStart = false;
    return Math.floor(this.#limit / 2);
  }
}

const emptyRound = (since: number) => ({ since, replies: 0, tokens: 0, milliseconds: 0 });
