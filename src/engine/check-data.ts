import { EngineError } from '../errors.ts';
import type { Datum, Loss, SoftTargets, TokenIds } from './engine.ts';

/** What a model knows and how long a text it reads. */
export type DataLimits = { readonly vocabSize: number; readonly maxPositions: number };

/** @throws EngineError that names the datum, the field and what is wrong with it, and what would be right. */
export function checkData(batch: readonly Datum[], loss: Loss, config: DataLimits): void {
  batch.forEach((datum, index) => {
    const refuse = (field: string, what: string): never => {
      throw new EngineError(`datum ${index}: ${field} ${what}`);
    };
    checkInput(datum.input, config, refuse);
    checkTargets(datum, config, refuse);
    checkStreams(datum, loss, refuse);
  });
}

type Refuse = (field: string, what: string) => never;

function checkInput(input: TokenIds, { vocabSize, maxPositions }: DataLimits, refuse: Refuse): void {
  if (input.length === 0) refuse('input', 'is empty; give it at least one token');
  if (input.length > maxPositions)
    refuse('input', `has ${input.length} tokens; the model has ${maxPositions} positions`);
  checkTokens('input', input, vocabSize, refuse);
}

function checkTargets({ input, targets }: Datum, { vocabSize }: DataLimits, refuse: Refuse): void {
  if ('k' in targets) {
    checkSoftTargets(input, targets, vocabSize, refuse);
    return;
  }
  checkLength('targets', targets.length, input.length, refuse);
  checkTokens('targets', targets, vocabSize, refuse);
}

function checkSoftTargets(input: TokenIds, targets: SoftTargets, vocabSize: number, refuse: Refuse): void {
  const { tokens, probabilities, k } = targets;
  if (!Number.isInteger(k) || k < 1) refuse('targets.k', `is ${k}; it is at least 1`);
  checkLength('targets.tokens', tokens.length, k * input.length, refuse);
  checkLength('targets.probabilities', probabilities.length, k * input.length, refuse);
  checkTokens('targets.tokens', tokens, vocabSize, refuse);
  checkNumbers('targets.probabilities', probabilities, refuse);
}

function checkStreams(datum: Datum, { kind }: Loss, refuse: Refuse): void {
  const [wanted, unread] =
    kind === 'cross_entropy'
      ? ([[], ['logprobs', 'advantages']] as const)
      : ([['logprobs', 'advantages'], ['weights']] as const);
  for (const field of wanted) if (datum[field] === undefined) refuse(field, `is missing, which ${kind} reads`);
  for (const field of unread) {
    if (datum[field] !== undefined) refuse(field, `is given, which ${kind} does not read; leave it out`);
  }
  for (const field of ['weights', 'logprobs', 'advantages'] as const) {
    const stream = datum[field];
    if (stream === undefined) continue;
    checkLength(field, stream.length, datum.input.length, refuse);
    checkNumbers(field, stream, refuse);
  }
}

function checkLength(field: string, length: number, wanted: number, refuse: Refuse): void {
  if (length !== wanted) refuse(field, `has length ${length}, not the input's ${wanted}`);
}

function checkTokens(field: string, tokens: ArrayLike<number>, vocabSize: number, refuse: Refuse): void {
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (!Number.isInteger(token) || token < 0 || token >= vocabSize)
      refuse(`${field}[${at}]`, `is ${token}; ids are 0 to ${vocabSize - 1}`);
  }
}

function checkNumbers(field: string, numbers: ArrayLike<number>, refuse: Refuse): void {
  for (let at = 0; at < numbers.length; at++) {
    if (!Number.isFinite(numbers[at])) refuse(`${field}[${at}]`, `is ${numbers[at]}; give a number`);
  }
}
