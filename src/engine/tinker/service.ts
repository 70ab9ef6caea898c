import type { Secret } from '../endpoint/secret.ts';
import { Futures, type OnWait } from './futures.ts';
import { type HttpOptions, SDK_VERSION, TinkerHttp } from './http.ts';
import { TinkerSession } from './session.ts';
import { capabilitiesAnswer, clientConfigAnswer } from './wire/answers.ts';

/** A service that is spoken to. */
export type TinkerService = { readonly http: TinkerHttp; readonly futures: Futures; readonly session: TinkerSession };

export type ServiceOptions = HttpOptions & { readonly onWait: OnWait };

/** @throws EndpointError where the service cannot be reached, or turns this client away. */
export async function openService(baseUrl: string, secret: Secret, options: ServiceOptions): Promise<TinkerService> {
  const http = new TinkerHttp(baseUrl, secret, options);
  const call = { what: 'client/config', path: 'client/config', body: { sdk_version: SDK_VERSION } };
  await http.ask(call, clientConfigAnswer.parse);
  return { http, futures: new Futures(http, options.onWait), session: await TinkerSession.open(http) };
}

export async function closeService({ http, session }: TinkerService): Promise<void> {
  await session.close();
  http.close();
}

/** The base models that a service says it has. */
export async function supportedModels({ http }: Pick<TinkerService, 'http'>): Promise<string[]> {
  const call = { what: 'get_server_capabilities', method: 'GET', path: 'get_server_capabilities' } as const;
  const { supported_models } = await http.ask(call, capabilitiesAnswer.parse);
  return supported_models.flatMap(({ model_name }) => model_name ?? []);
}
