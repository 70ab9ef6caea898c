import { z } from 'zod';
import { ModelError } from '../../../errors.ts';
import type { Value } from '../compiler/onnx/graph-builder.ts';
import { type Fail, parseFields, type Raw } from './config-fields.ts';
import { type CommonFields, checkedShape, commonFields, commonShape, refuseForeign, spellings } from './config-json.ts';
import type { DecoderOps } from './decoder-ops.ts';
import type { ModelConfig, ParameterShape } from './model-config.ts';
import { type RopeModel, readRope } from './rope-parameters.ts';
import type { ScaledRope } from './rope-scaling.ts';

/** A family of models: its `config.json`, the parameters of its layers, and what they compute. */
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
  /** Fields of `config.json` besides those that all families share: every one that changes the computation. */
  readonly fields: Fields;
  /** transformers' defaults for absent fields, where they differ from Llama's. */
  readonly defaults?: Readonly<Partial<CommonFields>>;
  /** Reads its rotary tables, where they are not described as Llama's are. */
  ropes?(raw: CommonFields & z.output<z.ZodObject<Fields>>, model: RopeModel, fail: Fail): readonly ScaledRope[];
  /** Returns what differs from a Llama with the same fields. @param fail throws, naming the file. */
  shape(raw: CommonFields & z.output<z.ZodObject<Fields>>, fail: Fail): Partial<ModelConfig>;
};

/** Makes an {@link Architecture} from what sets it apart. */
export function defineArchitecture<Fields extends z.ZodRawShape>(definition: Definition<Fields>): Architecture {
  const { name, modelType, fields, defaults, parameters, layer } = definition;
  const own = z.object(fields);
  const spelled = spellings(Object.keys(fields));
  const readConfig = (path: string, huggingFace: Raw) => {
    const fail: Fail = (message) => {
      throw new ModelError(`${path}: ${message}`);
    };
    const value = { ...defaults, ...huggingFace };
    refuseForeign(value, Object.keys(fields), fail);
    const raw = { ...parseFields(commonFields, value, spelled, fail), ...parseFields(own, value, spelled, fail) };
    const ropes = (model: RopeModel) => definition.ropes?.(raw, model, fail) ?? [readRope(raw, model, fail)];
    const shape = { ...commonShape(raw, ropes, fail), ...definition.shape(raw, fail) };
    return checkedShape({ architecture: name, ...shape, huggingFace }, fail);
  };
  return { name, modelType, readConfig, parameters, layer };
}
