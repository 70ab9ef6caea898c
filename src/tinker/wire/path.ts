import { WireError } from '../../errors.ts';

/** Where a service keeps a checkpoint: `tinker://MODEL/weights/NAME` or `tinker://MODEL/sampler_weights/NAME`. */
export type TinkerPath = {
  readonly modelId: string;
  readonly kind: 'weights' | 'sampler_weights';
  readonly name: string;
};

const SCHEME = 'tinker://';

export const tinkerPath = ({ modelId, kind, name }: TinkerPath): string => `${SCHEME}${modelId}/${kind}/${name}`;

/**
 * Some servers leave the kind out (`tinker://MODEL/NAME`), which then is `kind`.
 * @throws WireError on anything else.
 */
export function parseTinkerPath(path: string, kind: TinkerPath['kind'] = 'sampler_weights'): TinkerPath {
  const parts = path.startsWith(SCHEME) ? path.slice(SCHEME.length).split('/') : [];
  const [modelId, name] = [parts[0], parts.at(-1)];
  const said = parts.length === 2 ? kind : parts[1];
  const known = said === 'weights' || said === 'sampler_weights';
  const isFolder = parts.some((part) => part === '.' || part === '..');
  if (parts.length >= 2 && parts.length <= 3 && modelId && name && known && !isFolder)
    return { modelId, kind: said, name };
  throw new WireError(`${JSON.stringify(path.slice(0, 200))} is no path of the form ${SCHEME}MODEL/weights/NAME`);
}

/** Where a checkpoint is managed, under `/api/v1/`. */
export function addressOf({ modelId, kind, name }: TinkerPath): string {
  return `training_runs/${asPart(modelId)}/checkpoints/${kind}/${asPart(name)}`;
}

/** Ids hold colons, which addresses may hold, too. */
export const asPart = (text: string): string => encodeURIComponent(text).replaceAll('%3A', ':');
