import protobuf from 'protobufjs';

/**
 * The part of onnx.proto3 (ONNX 1.16, IR version 10) that the emitter writes. Field numbers are the wire format.
 * @see https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
const SCHEMA = `
syntax = "proto3";
message ModelProto { int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8; }
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message GraphProto {
  repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated AttributeProto attribute = 5; string domain = 7;
}
message AttributeProto {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; TensorProto t = 5; GraphProto g = 6;
  repeated float floats = 7; repeated int64 ints = 8; int32 type = 20;
}
message TensorProto {
  repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9;
  repeated StringStringEntryProto external_data = 13; int32 data_location = 14;
}
message StringStringEntryProto { string key = 1; string value = 2; }
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message TypeProto { TensorTypeProto tensor_type = 1; }
message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
message TensorShapeProto { repeated DimensionProto dim = 1; }
message DimensionProto { oneof value { int64 dim_value = 1; string dim_param = 2; } }
`;

const root = protobuf.parse(SCHEMA, { keepCase: true }).root;
const ModelProto = root.lookupType('ModelProto');

/** Element types by their ONNX number. */
export const ElementType = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;
export type ElementType = keyof typeof ElementType;

type ExternalData = { external_data: { key: string; value: string }[]; data_location: number };
export type TensorProto = { dims: number[]; data_type: number; name: string } & (
  | { raw_data: Uint8Array }
  | ExternalData
);
export type AttributeProto = {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  g?: GraphProto;
  ints?: number[];
};
export type NodeProto = {
  op_type: string;
  domain: string;
  name: string;
  input: string[];
  output: string[];
  attribute: AttributeProto[];
};
export type ValueInfoProto = { name: string; type: object };
export type GraphProto = {
  name: string;
  node: NodeProto[];
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
};

/** Serialises a graph as an ONNX model: opset 20 plus Microsoft's contributed operators. */
export function encodeModel(graph: GraphProto): Uint8Array {
  const opsets = [
    { domain: '', version: 20 },
    { domain: 'com.microsoft', version: 1 },
  ];
  return ModelProto.encode({ ir_version: 10, producer_name: 'unrut', graph, opset_import: opsets }).finish();
}
