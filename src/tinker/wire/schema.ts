import protobuf from 'protobufjs';
import { WireError } from '../../errors.ts';

/** @file The protobuf messages of the Tinker API, package `tinker_public`. Field numbers are the wire format. */

const SCHEMA = `
syntax = "proto3";
package tinker_public;
enum DType { DTYPE_UNSPECIFIED = 0; DTYPE_FLOAT32 = 1; DTYPE_INT64 = 2; DTYPE_INT32 = 3; DTYPE_BFLOAT16 = 4; }
enum StopReason { STOP = 0; LENGTH = 1; }

message ForwardBackwardRequest {
  string model_id = 1; int32 seq_id = 2; repeated Datum data = 3; string loss_fn = 4;
  map<string, double> loss_fn_config = 5; bool forward_only = 6; map<string, LossConfigValue> loss_fn_config_v2 = 7;
}
message LossConfigValue { oneof value { double number = 1; string text = 2; } }
message Datum {
  repeated Chunk model_input = 1; map<string, Tensor> loss_fn_inputs = 2;
  repeated ProvenanceSpan model_input_spans = 3; repeated ProvenanceSpan loss_fn_input_spans = 4;
}
message ProvenanceSpan { oneof span { PromptProvenanceSpan prompt_tokens = 1; SampledProvenanceSpan sampled_tokens = 2; } }
message PromptProvenanceSpan { string sequence_id = 1; int64 offset = 2; int64 length = 3; }
message SampledProvenanceSpan { string sequence_id = 1; int64 offset = 2; int64 length = 3; }
message Chunk { oneof chunk { EncodedTextChunk encoded_text = 1; ImageChunk image = 2; DmelChunk dmel = 3; } }
message EncodedTextChunk { bytes tokens = 1; }
message DmelChunk { bytes dmel = 1; }
message ImageChunk {
  bytes data = 1; string format = 2; optional int32 expected_tokens = 3; optional ImageDimensions override_dimensions = 4;
}
message ImageDimensions { uint32 width = 1; uint32 height = 2; }
message Tensor {
  oneof encoding { bytes dense = 1; SparseCsr sparse_csr = 2; }
  DType dtype = 3; repeated int64 shape = 4;
}
message SparseCsr { bytes values = 1; bytes crow_indices = 2; bytes col_indices = 3; }
message ForwardBackwardOutput {
  string loss_fn_output_type = 1; repeated ArrayRecord loss_fn_outputs = 2; map<string, double> metrics = 3;
}
message ArrayRecord { string type_tag = 1; map<string, BatchedTensor> fields = 2; int64 num_datums = 3; }
message BatchedTensor { bytes data = 1; bytes offsets = 2; DType dtype = 3; repeated int64 trailing_shape = 4; }
message SampleResponse {
  repeated SampledSequence sequences = 1; optional bytes prompt_logprobs = 2;
  optional TopkLogprobs topk_prompt_logprobs = 3; int32 prompt_cache_hit_tokens = 4;
  optional Tensor target_prompt_logprobs = 5; optional PromptAltTokens prompt_alt_tokens = 6;
}
message SampledSequence {
  StopReason stop_reason = 1; bytes tokens = 2; optional bytes logprobs = 3; optional TopkLogprobs topk_sampled_logprobs = 4;
}
message TopkLogprobs { bytes token_ids = 1; bytes logprobs = 2; uint32 k = 3; uint32 length = 4; }
message PromptAltTokens { Tensor tokens = 1; Tensor logprobs = 2; }
`;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });

/** An int64 as protobufjs hands it over. */
export type Int64 = number | { toNumber(): number };

/** Reads and writes one kind of message; `Fields` says what may be set, and what is not set is left out. */
export type Codec<Fields extends object> = {
  encode(fields: Fields): Uint8Array;
  /** Fields that this schema does not have are passed over. @throws WireError on anything but such a message. */
  decode(bytes: Uint8Array): Fields;
};

export function codec<Fields extends object>(name: string): Codec<Fields> {
  const type = root.lookupType(`tinker_public.${name}`);
  return {
    encode: (fields) => type.encode(fields).finish(),
    decode: (bytes) => {
      try {
        return type.decode(bytes) as unknown as Fields; // the schema above and Fields say the same
      } catch (error) {
        throw new WireError(`the body is no ${name}: ${(error as Error).message}`); // protobufjs throws nothing else
      }
    },
  };
}

/** An optional field of a decoded message, for which protobufjs has a default value that says nothing. */
export function present<Fields extends object, Key extends keyof Fields>(
  fields: Fields,
  key: Key,
): Fields[Key] | undefined {
  return Object.hasOwn(fields, key) && fields[key] !== null ? fields[key] : undefined;
}

/** @throws WireError where a number does not hold it exactly. */
export function exact(value: Int64 | bigint, field: string): number {
  const number = typeof value === 'object' ? value.toNumber() : Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new WireError(`${field}: ${value} is beyond what can be counted exactly`);
}
