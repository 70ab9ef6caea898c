import {
  type AttributeProto,
  ElementType,
  encodeModel,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './proto.ts';
import { pruned, withoutCopies } from './prune.ts';

/** A value in a graph is known by its name. */
export type Value = string;

/** A dimension is a size or the name of one that is free. */
export type Dimension = number | string;

export type Attribute = number | { readonly float: number } | string | readonly number[] | GraphBuilder;

/** Where a tensor lies in a file: its first byte. */
export type StoredTensor = { readonly file: string; readonly offset: number };

/** TensorProto.DataLocation. */
const EXTERNAL = 1;

/**
 * Builds one ONNX graph node by node: `op` adds a node and returns the name of its output. Names are numbered in the
 * order of building, so the same calls give the same bytes. A `GraphBuilder` passed as an attribute becomes a subgraph
 * (the body of a Loop), which sees the values of the graph around it.
 */
export class GraphBuilder {
  readonly #graph: GraphProto;
  readonly #names: { next: number };

  /** @param outer the graph in which this one is a body; names stay unique across both. */
  constructor(name: string, outer?: GraphBuilder) {
    this.#graph = { name, node: [], initializer: [], input: [], output: [] };
    this.#names = outer === undefined ? { next: 0 } : outer.#names;
  }

  input(name: string, type: ElementType, shape: readonly Dimension[]): Value {
    this.#graph.input.push(valueInfo(name, type, shape));
    return name;
  }

  /** A float32 constant that lies in a file, from this byte on; a session maps it, it is not part of the graph's bytes. */
  stored(name: string, shape: readonly number[], { file, offset }: StoredTensor): Value {
    const length = Float32Array.BYTES_PER_ELEMENT * shape.reduce((product, size) => product * size, 1);
    const place = { location: file, offset: String(offset), length: String(length) };
    const external_data = Object.entries(place).map(([key, value]) => ({ key, value }));
    const tensor = { dims: [...shape], data_type: ElementType.float32, name, external_data, data_location: EXTERNAL };
    this.#graph.initializer.push(tensor);
    return name;
  }

  /** Declares a value as an output under a name of its own. */
  output(name: string, value: Value, type: ElementType, shape: readonly Dimension[]): void {
    this.#graph.node.push({ op_type: 'Identity', domain: '', name, input: [value], output: [name], attribute: [] });
    this.#graph.output.push(valueInfo(name, type, shape));
  }

  /** Declares a value as the next output under the name that it has: a body's outputs are known by their places. */
  result(value: Value, type: ElementType, shape: readonly Dimension[]): void {
    this.#graph.output.push(valueInfo(value, type, shape));
  }

  floats(values: readonly number[] | Float32Array, shape: readonly number[] = [values.length]): Value {
    return this.#constant('float32', Float32Array.from(values), shape);
  }

  /** A float scalar. */
  scalar(value: number): Value {
    return this.floats([value], []);
  }

  integers(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.#constant('int64', BigInt64Array.from(values, BigInt), shape);
  }

  bool(value: boolean): Value {
    return this.#constant('bool', Uint8Array.of(Number(value)), []);
  }

  /** A standard operator with one output. */
  op(type: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return this.ops(type, inputs, 1, attributes)[0]!;
  }

  /** An operator of the `com.microsoft` domain with one output. */
  microsoft(type: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>> = {}): Value {
    return this.ops(type, inputs, 1, attributes, 'com.microsoft')[0]!;
  }

  /** An operator with several outputs; an empty input name leaves an optional input out. */
  ops(
    type: string,
    inputs: readonly Value[],
    outputs: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): Value[] {
    const output = Array.from({ length: outputs }, () => this.#fresh(type));
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    const node: NodeProto = { op_type: type, domain, name: output[0]!, input: [...inputs], output, attribute };
    this.#graph.node.push(node);
    return output;
  }

  proto(): GraphProto {
    return this.#graph;
  }

  /** The bytes of the model, without what no output needs and without copies to outputs. */
  encode(): Uint8Array {
    return encodeModel(withoutCopies(pruned(this.#graph)));
  }

  #fresh(type: string): Value {
    return `${type}_${this.#names.next++}`;
  }

  #constant(type: ElementType, data: Float32Array | BigInt64Array | Uint8Array, shape: readonly number[]): Value {
    const name = this.#fresh('constant');
    const raw_data = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const tensor: TensorProto = { dims: [...shape], data_type: ElementType[type], name, raw_data };
    this.#graph.initializer.push(tensor);
    return name;
  }
}

function valueInfo(name: string, type: ElementType, shape: readonly Dimension[]): ValueInfoProto {
  const dim = shape.map((size) => (typeof size === 'number' ? { dim_value: size } : { dim_param: size }));
  return { name, type: { tensor_type: { elem_type: ElementType[type], shape: { dim } } } };
}

/** The number behind `type` is AttributeProto.AttributeType. */
function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number') return { name, type: 2, i: value };
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if (value instanceof GraphBuilder) return { name, type: 5, g: value.proto() };
  if ('float' in value) return { name, type: 1, f: value.float };
  return { name, type: 7, ints: [...value] };
}
