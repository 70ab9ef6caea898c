import type { ModelCatalogue } from '../../serve/openai/routes.ts';
import { Refusal } from './refusal.ts';
import type { TinkerService } from './tinker-service.ts';

/** The base by all its names, and checkpoints for sampling by their paths. */
export function tinkerCatalogue({ base, samplers }: TinkerService): ModelCatalogue {
  return {
    listed: [base.served],
    find: async (name) => {
      if (base.names.includes(name)) return base.served;
      if (name.startsWith('tinker://')) return samplers.ofPath(name).catch(ifNotThere);
      return undefined;
    },
  };
}

function ifNotThere(error: unknown): undefined {
  if (error instanceof Refusal) return undefined;
  throw error;
}
