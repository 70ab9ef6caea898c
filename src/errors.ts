import { visible } from './visible.ts';

/**
 * Errors are named by the boundary they come from, so that a reader of a log knows whose turn it is.
 * Every message names the culprit (file, field, value) and the way out, in one line. What it quotes may come from a
 * stranger (a server's sentence, a file's name), so no message holds control characters.
 */
export class UnrutError extends Error {
  override name = 'UnrutError';

  constructor(message: string, options?: ErrorOptions) {
    super(visible(message), options);
  }
}

/** The caller's input is wrong: a recipe, an option, a problem file. */
export class InputError extends UnrutError {
  override name = 'InputError';
}

/** A model folder cannot be read or does not hold what its config says. */
export class ModelError extends UnrutError {
  override name = 'ModelError';
}

/** The engine refuses or cannot carry out an operation (unsupported option, NaN in a gradient). */
export class EngineError extends UnrutError {
  override name = 'EngineError';
}

/** A run folder is damaged, in use, or belongs to something else. */
export class RunError extends UnrutError {
  override name = 'RunError';
}

/** A model's server refuses, fails or does not answer, or a limit that was set for it is reached. */
export class EndpointError extends UnrutError {
  override name = 'EndpointError';
}

/** A message of the Tinker API is damaged or says what it cannot mean. */
export class WireError extends UnrutError {
  override name = 'WireError';
}

/** The user asked to stop (Ctrl-C). Not a fault: what was done so far is on disk, and the command exits with 130. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}
