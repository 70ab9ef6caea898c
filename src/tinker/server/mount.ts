import type { TinkerMount } from '../../serve/app.ts';
import { tinkerCatalogue } from './model-catalogue.ts';
import { type RouteOptions, tinkerRoutes } from './routes.ts';
import type { TinkerService } from './tinker-service.ts';

/** A Tinker service beside the OpenAI endpoints of a server. */
export function tinkerMount(service: TinkerService, options: RouteOptions): TinkerMount {
  return { catalogue: tinkerCatalogue(service), routes: tinkerRoutes(service, options) };
}
