import type { Heard } from '../../engine/http/transport.ts';
import { optimStepResult } from '../wire/answers.ts';
import type { TinkerHttp } from './http.ts';

/** Servers that say it call it by names of their own: `grad_norm:mean`, `skyrl.ai/grad_norm`. */
const GRADIENT_NORM = /grad(ient)?[_ ]?norm/i;

/** NaN where the server does not say. */
export function gradientNormOf(http: TinkerHttp, heard: Heard): number {
  const { metrics } = http.read({ what: 'optim_step' }, heard, optimStepResult.parse);
  const found = Object.entries(metrics ?? {}).find(([name]) => GRADIENT_NORM.test(name) && !/clip/i.test(name));
  return found?.[1] ?? Number.NaN;
}
