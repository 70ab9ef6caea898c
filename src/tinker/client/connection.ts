import type { Secret } from '../../engine/http/secret.ts';
import { capabilitiesAnswer, clientConfigAnswer } from '../wire/answers.ts';
import { FuturePoller, type OnWait } from './future-poller.ts';
import { type HttpOptions, Refused, SDK_VERSION, TinkerHttp } from './http.ts';
import { TinkerSession } from './session.ts';
import { CHUNK, type ChunkLimits } from './training-data.ts';

/** A service that is spoken to. */
export type TinkerConnection = {
  readonly http: TinkerHttp;
  readonly futures: FuturePoller;
  readonly session: TinkerSession;
  /** What one request may hold, as the service has it. */
  readonly chunk: ChunkLimits;
};

export type ServiceOptions = HttpOptions & { readonly onWait: OnWait };

/** @throws EndpointError where the service cannot be reached, or turns this client away. */
export async function openService(baseUrl: string, secret: Secret, options: ServiceOptions): Promise<TinkerConnection> {
  const http = new TinkerHttp(baseUrl, secret, options);
  const call = { what: 'client/config', path: 'client/config', body: { sdk_version: SDK_VERSION } };
  const config = await http.ask(call, clientConfigAnswer.parse);
  const chunk = {
    data: config.fwdbwd_max_chunk_len ?? CHUNK.data,
    bytes: config.fwdbwd_max_chunk_bytes_count ?? CHUNK.bytes,
  };
  return { http, futures: new FuturePoller(http, options.onWait), session: await TinkerSession.open(http), chunk };
}

export async function closeService({ http, session }: TinkerConnection): Promise<void> {
  await session.close();
  http.close();
}

/** The base models that a service says it has; undefined where it does not say. */
export async function supportedModels({ http }: Pick<TinkerConnection, 'http'>): Promise<string[] | undefined> {
  const call = { what: 'get_server_capabilities', method: 'GET', path: 'get_server_capabilities' } as const;
  try {
    const { supported_models } = await http.ask(call, capabilitiesAnswer.parse);
    return supported_models.flatMap(({ model_name }) => model_name ?? []);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}
