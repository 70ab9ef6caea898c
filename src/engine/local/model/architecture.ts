import { z } from 'zod';
import { ModelError } from '../../../errors.ts';
import type { Value } from '../compiler/onnx/graph-builder.ts';
import {
  type CommonFields,
  checkedShape,
  commonFields,
  commonShape,
  type Fail,
  parseFields,
  type Raw,
} from './config-json.ts';
import type { DecoderOps } from './decoder-ops.ts';
import type { ModelConfig, ParameterShape } from './model-config.ts';

/** A family of models: how its `config.json` is read, what its layers hold and what they compute. */
export type Architecture = {
  /** The class in transformers, as `architectures` in `config.json` has it. */
  readonly name: string;
  readonly modelType: string;
  /** @param path for messages. @throws ModelError that names the field that is missing, unknown or unsupported. */
  readConfig(path: string, value: Raw): ModelConfig;
  /** The parameters of the layer `at`, such as `model.layers.0`, in the order in which they lie in memory. */
  parameters(config: ModelConfig, at: string): readonly ParameterShape[];
  /** Emits one layer: from the residual stream before it to the one behind it. */
  layer(ops: DecoderOps, layer: number, stream: Value): Value;
};

type Definition<Fields extends z.ZodRawShape> = Pick<Architecture, 'name' | 'modelType' | 'parameters' | 'layer'> & {
  /** Fields of `config.json` beside those that all families have; every one that changes what is computed. */
  readonly fields: Fields;
  /** What differs from a Llama of the same fields. @param fail throws, naming the file. */
  shape(raw: CommonFields & z.output<z.ZodObject<Fields>>, fail: Fail): Partial<ModelConfig>;
};

/** An {@link Architecture} from what sets it apart. */
export function defineArchitecture<Fields extends z.ZodRawShape>(definition: Definition<Fields>): Architecture {
  const { name, modelType, fields, parameters, layer } = definition;
  const own = z.object(fields);
  const spelled = [...Object.keys(commonFields.shape), ...Object.keys(fields)];
  const readConfig = (path: string, value: Raw) => {
    const fail: Fail = (message) => {
      throw new ModelError(`${path}: ${message}`);
    };
    const raw = { ...parseFields(commonFields, value, spelled, fail), ...parseFields(own, value, spelled, fail) };
    return checkedShape({ ...commonShape(name, raw, value, fail), ...definition.shape(raw, fail) }, fail);
  };
  return { name, modelType, readConfig, parameters, layer };
}
