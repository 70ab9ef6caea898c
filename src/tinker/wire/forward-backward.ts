import { WireError } from '../../errors.ts';
import { int32, int64 } from './numbers.ts';
import { codec, exact, type Int64, present } from './schema.ts';
import {
  type DenseTensor,
  decodeTensor,
  decodeValues,
  dtypeNumber,
  dtypeOf,
  encodeTensor,
  encodeValues,
  sizeOfShape,
  type Tensor,
  type TensorMessage,
} from './tensor.ts';

/** @file The request of a training step and its result. Both are protobuf, and so is a forward pass alone. */

export type ForwardBackwardRequest = {
  readonly modelId: string;
  readonly seqId: number;
  readonly data: readonly WireDatum[];
  /** A name such as `cross_entropy`. */
  readonly lossFn: string;
  readonly lossConfig: Readonly<Record<string, number | string>>;
  readonly forwardOnly: boolean;
};

export type WireDatum = {
  readonly input: readonly Chunk[];
  /** `target_tokens`, `weights`, `logprobs`, `advantages`, each `[time]` or `[time, k]`. */
  readonly lossInputs: Readonly<Record<string, Tensor>>;
};

/** A piece of a model's input; of what is no text only the kind is kept. */
export type Chunk =
  | { readonly kind: 'text'; readonly tokens: ArrayLike<number> }
  | { readonly kind: 'image' }
  | { readonly kind: 'audio' };

export type ForwardBackwardOutput = {
  readonly outputType: string;
  /** One a datum: fields such as `logprobs`, `[time]`. */
  readonly outputs: readonly Readonly<Record<string, DenseTensor>>[];
  /** By `name:reduction`, such as `loss:sum`. */
  readonly metrics: Readonly<Record<string, number>>;
};

type RequestMessage = {
  model_id?: string;
  seq_id?: number;
  data?: readonly DatumMessage[];
  loss_fn?: string;
  loss_fn_config?: Readonly<Record<string, number>>;
  forward_only?: boolean;
  loss_fn_config_v2?: Readonly<Record<string, { number?: number; text?: string }>>;
};

type DatumMessage = {
  model_input?: readonly ChunkMessage[];
  loss_fn_inputs?: Readonly<Record<string, TensorMessage>>;
};

type ChunkMessage = { encoded_text?: { tokens?: Uint8Array }; image?: object; dmel?: object };

type OutputMessage = {
  loss_fn_output_type?: string;
  loss_fn_outputs?: readonly RecordMessage[];
  metrics?: Readonly<Record<string, number>>;
};

type RecordMessage = {
  type_tag?: string;
  fields?: Readonly<Record<string, BatchedTensorMessage>>;
  num_datums?: Int64;
};

type BatchedTensorMessage = {
  data?: Uint8Array;
  offsets?: Uint8Array;
  dtype?: number;
  trailing_shape?: readonly Int64[];
};

const Request = codec<RequestMessage>('ForwardBackwardRequest');
const Output = codec<OutputMessage>('ForwardBackwardOutput');

const NOTHING = new Uint8Array();

/** Numbers of the loss's config are written twice, for servers before and after the field that also takes text. */
export function encodeForwardBackwardRequest(request: ForwardBackwardRequest): Uint8Array {
  const config = Object.entries(request.lossConfig);
  const numbers = config.filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return Request.encode({
    model_id: request.modelId,
    seq_id: request.seqId,
    data: request.data.map(encodeDatum),
    loss_fn: request.lossFn,
    loss_fn_config: Object.fromEntries(numbers),
    ...(request.forwardOnly ? { forward_only: true } : {}),
    loss_fn_config_v2: Object.fromEntries(
      config.map(([name, value]) => [name, typeof value === 'number' ? { number: value } : { text: value }]),
    ),
  });
}

function encodeDatum({ input, lossInputs }: WireDatum): DatumMessage {
  return {
    model_input: input.map(encodeChunk),
    loss_fn_inputs: mapValues(lossInputs, (tensor) => encodeTensor(tensor)),
  };
}

function encodeChunk(chunk: Chunk): ChunkMessage {
  if (chunk.kind === 'text') return { encoded_text: { tokens: int32.bytes(chunk.tokens) } };
  throw new WireError(`input of kind ${chunk.kind} is read and not written; send text`);
}

/** @throws WireError naming what is no such request, or which datum's field is damaged. */
export function decodeForwardBackwardRequest(bytes: Uint8Array): ForwardBackwardRequest {
  const message = Request.decode(bytes);
  return {
    modelId: message.model_id ?? '',
    seqId: message.seq_id ?? 0,
    data: (message.data ?? []).map(decodeDatum),
    lossFn: message.loss_fn ?? '',
    lossConfig: { ...message.loss_fn_config, ...mapValues(message.loss_fn_config_v2 ?? {}, configValue) },
    forwardOnly: message.forward_only ?? false,
  };
}

function configValue(value: { number?: number; text?: string }, name: string): number | string {
  const given = present(value, 'number') ?? present(value, 'text');
  if (given !== undefined) return given;
  throw new WireError(`loss_fn_config ${name}: has no value`);
}

function decodeDatum({ model_input, loss_fn_inputs }: DatumMessage, index: number): WireDatum {
  return {
    input: (model_input ?? []).map((chunk) => decodeChunk(chunk, `datum ${index}`)),
    lossInputs: mapValues(loss_fn_inputs ?? {}, (tensor, name) => decodeTensor(tensor, `datum ${index}: ${name}`)),
  };
}

function decodeChunk(chunk: ChunkMessage, datum: string): Chunk {
  const text = present(chunk, 'encoded_text');
  if (text !== undefined) return { kind: 'text', tokens: int32.values(text.tokens ?? NOTHING, `${datum}: tokens`) };
  if (present(chunk, 'image') !== undefined) return { kind: 'image' };
  if (present(chunk, 'dmel') !== undefined) return { kind: 'audio' };
  throw new WireError(`${datum}: a piece of its input is of no known kind`);
}

/** Every datum has the same fields, of the same types. */
export function encodeForwardBackwardOutput({ outputType, outputs, metrics }: ForwardBackwardOutput): Uint8Array {
  const names = Object.keys(outputs[0] ?? {});
  const fields = names.map((name) => [name, encodeBatch(outputs.map((output) => output[name]!))] as const);
  const record = { type_tag: outputType, fields: Object.fromEntries(fields), num_datums: outputs.length };
  return Output.encode({ loss_fn_output_type: outputType, loss_fn_outputs: [record], metrics });
}

/** All data's values end to end, and the bytes at which each begins. */
function encodeBatch(tensors: readonly DenseTensor[]): BatchedTensorMessage {
  const { dtype, shape } = tensors[0]!; // there is a field only where there is a datum
  const parts = tensors.map(({ values }) => encodeValues(dtype, values));
  const offsets = [0];
  for (const part of parts) offsets.push(offsets.at(-1)! + part.length);
  return {
    data: Buffer.concat(parts),
    offsets: int64.bytes(offsets),
    dtype: dtypeNumber(dtype),
    trailing_shape: shape.slice(1),
  };
}

/** @throws WireError naming the field that is damaged. */
export function decodeForwardBackwardOutput(bytes: Uint8Array): ForwardBackwardOutput {
  const message = Output.decode(bytes);
  return {
    outputType: message.loss_fn_output_type ?? '',
    outputs: (message.loss_fn_outputs ?? []).flatMap(decodeRecord),
    metrics: { ...message.metrics },
  };
}

/** More data than a request may have; a damaged record may claim any number. */
const MOST_DATA = 2 ** 20;

function decodeRecord({ fields, num_datums }: RecordMessage): Record<string, DenseTensor>[] {
  const count = exact(num_datums ?? 0, 'num_datums');
  if (count < 0 || count > MOST_DATA) throw new WireError(`num_datums: ${count} outputs in one record`);
  const columns = Object.entries(fields ?? {}).map(([name, batch]) => [name, decodeBatch(batch, count, name)] as const);
  return Array.from({ length: count }, (_, at) => {
    return Object.fromEntries(columns.map(([name, tensors]) => [name, tensors[at]!]));
  });
}

function decodeBatch(batch: BatchedTensorMessage, count: number, name: string): DenseTensor[] {
  const dtype = dtypeOf(batch.dtype ?? 0, name);
  const data = batch.data ?? NOTHING;
  const offsets = int64.values(batch.offsets ?? NOTHING, name);
  const trailing = (batch.trailing_shape ?? []).map((size) => exact(size, name));
  const ends = offsets.length === count + 1 && offsets[0] === 0 && offsets.at(-1) === data.length;
  if (!ends) throw new WireError(`${name}: ${offsets.length} offsets into ${data.length} bytes for ${count} data`);
  return Array.from({ length: count }, (_, at) => {
    const values = decodeValues(dtype, data.subarray(offsets[at], offsets[at + 1]), name);
    return { dtype, shape: [values.length / sizeOfShape(trailing), ...trailing], values };
  });
}

function mapValues<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From, key: string) => To,
): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
