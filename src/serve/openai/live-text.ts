import type { ServedModel } from '../served-model.ts';
import type { Choice, ChoiceRequest } from './choice.ts';
import { choose } from './choice.ts';

/** What a token adds to the text of a choice. */
export type LivePiece = { readonly index: number; readonly content: string };

/** The text of choices while it is sampled. */
export class LiveText {
  /** In the order in which the engine tells of tokens; ends when all choices are there. */
  readonly pieces: ReadableStream<LivePiece>;
  readonly choices: Promise<Choice[]>;
  /** Resolves with the first token; rejects where there is none because sampling failed. */
  readonly begun: Promise<unknown>;
  readonly #model: ServedModel;
  readonly #request: ChoiceRequest;
  readonly #said: number[][];

  constructor(model: ServedModel, request: ChoiceRequest, signal: AbortSignal) {
    this.#model = model;
    this.#request = request;
    this.#said = Array.from({ length: request.samples }, () => []);
    const { pieces, put, end } = openQueue();
    let begin = () => {};
    const first = new Promise<void>((resolve) => {
      begin = resolve;
    });
    this.choices = choose(model, request, signal, (sample, token) => {
      put({ index: sample, content: this.#take(sample, token) });
      begin();
    }).finally(end);
    this.pieces = pieces;
    this.begun = Promise.race([first, this.choices]);
  }

  /** What the token adds: nothing while a character is not whole, and where it does not belong to the text. */
  #take(sample: number, token: number): string {
    const said = this.#said[sample]!; // there is one for each
    const { stops, top, maxTokens } = this.#request;
    const { format } = this.#model;
    // a stop string may cut what was said already, and logprobs are known at the end only
    if (stops.length > 0 || top !== undefined || said.length === maxTokens || format.stop.includes(token)) return '';
    said.push(token);
    return format.pieces(said).at(-1)!; // one a token
  }
}

/** A stream with what is put into it, until its end; a reader that has gone takes nothing more. */
function openQueue() {
  let isOpen = true;
  let controller: ReadableStreamDefaultController<LivePiece> | undefined;
  const pieces = new ReadableStream<LivePiece>({
    start: (own) => {
      controller = own;
    },
    cancel: () => {
      isOpen = false;
    },
  });
  const put = (piece: LivePiece) => {
    if (isOpen && piece.content !== '') controller?.enqueue(piece);
  };
  const end = () => {
    if (isOpen) controller?.close();
  };
  return { pieces, put, end };
}
