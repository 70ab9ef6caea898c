import type { RunParts } from '../recipe/run-parts.ts';
import type { ServiceOptions } from './options/engine-options.ts';

/** The parts of a run on the engine that was chosen: the embedded one, or a service. */
export async function partsOf(service: ServiceOptions | undefined, local: RunParts): Promise<RunParts> {
  if (service === undefined) return local;
  const { tinkerParts } = await import('./tinker-parts.ts');
  return tinkerParts(local, service);
}
