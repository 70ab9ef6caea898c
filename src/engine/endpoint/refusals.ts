import { EndpointError } from '../../errors.ts';

/** Before so many nothing is concluded. */
const FEW = 20;
/** Above this share of all replies it is not the conversations that are at fault. */
const MOST = 0.2;

/**
 * Replies that a server refuses to give to some conversations while it answers others: a filter, or a context that is too
 * long. Each is an outcome of its conversation; where too many are refused, something else is wrong.
 */
export class Refusals {
  replies = 0;
  /** What the server said the first time. */
  first: string | undefined;

  /**
   * One more reply was refused, while `answered` were given.
   * @throws EndpointError where at least 20 replies, and more than a fifth of all, were refused.
   */
  count(why: string, answered: number): void {
    this.replies++;
    this.first ??= why;
    const all = this.replies + answered;
    if (this.replies < FEW || this.replies <= MOST * all) return;
    throw new EndpointError(`refuses ${this.replies} of ${all} replies; at first it said: ${this.first}`);
  }
}
