import type { TokenIds } from '../../engine.ts';
import { maskInput } from '../model/inference-decoder.ts';
import type { ModelConfig } from '../model/model-config.ts';
import { rotaryTables } from '../model/rope.ts';
import { windowsOf } from '../model/window.ts';
import { floats, type HostTensor, integers, type Tensors } from '../runtime/host-tensor.ts';

/**
 * What the decoder reads of texts, padded on the right to the longest: inputs of `declareText`. The padding sees garbage
 * and is seen by nothing before it.
 * @param positions that the run needs.
 */
export function textFeeds(texts: readonly TokenIds[], config: ModelConfig, positions: number): Tensors {
  const { heads, keyValueHeads, headSize } = config;
  const time = Math.max(...texts.map((text) => text.length));
  const tokens = new Int32Array(texts.length * time);
  texts.forEach((text, nth) => {
    tokens.set(text, nth * time);
  });
  return {
    tokens: integers(tokens),
    split: integers([texts.length, time, heads + 2 * keyValueHeads, headSize]),
    ...Object.fromEntries(
      windowsOf(config).map((window) => [maskInput(window), textMask(time, heads / keyValueHeads, window)]),
    ),
    ...rotaryTables(config, positions),
  };
}

/** `[group * time, time]`: each row sees itself and what stands before it, in all as many tokens as the window has. */
function textMask(time: number, group: number, window = time): HostTensor {
  const data = new Float32Array(group * time * time);
  for (let row = 0; row < group * time; row++) {
    const own = row % time;
    data.fill(-1e9, row * time, row * time + Math.max(0, own + 1 - window));
    data.fill(-1e9, row * time + own + 1, (row + 1) * time);
  }
  return floats(data, [group * time, time]);
}
