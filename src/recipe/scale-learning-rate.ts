import type { Policy } from '../engine/engine.ts';

/** The same policy with every learning rate multiplied. */
export function scaleLearningRate(policy: Policy, factor: number): Policy {
  return {
    forward: (batch, loss) => policy.forward(batch, loss),
    forwardBackward: (batch, loss) => policy.forwardBackward(batch, loss),
    optimStep: (adam) => policy.optimStep({ ...adam, learningRate: factor * adam.learningRate }),
    sampler: () => policy.sampler(),
    save: (folder) => policy.save(folder),
    load: (folder) => policy.load(folder),
    close: () => policy.close(),
  };
}
