import type { GraphProto, NodeProto } from './proto.ts';

/** The graph without the nodes and constants that none of its outputs needs, nor those of its bodies. */
export function pruned(graph: GraphProto): GraphProto {
  const needed = new Set(graph.output.map(({ name }) => name));
  const node: NodeProto[] = [];
  for (const each of graph.node.toReversed()) {
    if (!each.output.some((name) => needed.has(name))) continue;
    const kept = withPrunedBodies(each);
    for (const name of namesRead(kept)) needed.add(name);
    node.push(kept);
  }
  const initializer = graph.initializer.filter(({ name }) => needed.has(name));
  return { ...graph, node: node.reverse(), initializer };
}

/** The graph whose outputs are made under their names, where they would be copied to them and nothing else reads them. */
export function withoutCopies(graph: GraphProto): GraphProto {
  const outputs = new Set(graph.output.map(({ name }) => name));
  const made = new Set(graph.node.flatMap(({ output }) => output));
  const reads = new Map<string, number>();
  for (const name of graph.node.flatMap(namesRead)) reads.set(name, (reads.get(name) ?? 0) + 1);
  const renamed = new Map<string, string>();
  const isCopy = ({ op_type, input: [from = ''], output: [to = ''] }: NodeProto) =>
    op_type === 'Identity' && outputs.has(to) && made.has(from) && !outputs.has(from) && reads.get(from) === 1;
  const node = graph.node.filter((each) => {
    if (!isCopy(each)) return true;
    renamed.set(each.input[0]!, each.output[0]!); // a copy has one of each
    return false;
  });
  const rename = (name: string) => renamed.get(name) ?? name;
  return { ...graph, node: node.map((each) => ({ ...each, output: each.output.map(rename) })) };
}

const bodiesOf = ({ attribute }: NodeProto): GraphProto[] => attribute.flatMap(({ g }) => g ?? []);

function withPrunedBodies(node: NodeProto): NodeProto {
  const attribute = node.attribute.map((each) => (each.g === undefined ? each : { ...each, g: pruned(each.g) }));
  return { ...node, attribute };
}

function namesRead(node: NodeProto): string[] {
  const inside = bodiesOf(node).flatMap((body) => [
    ...body.node.flatMap(namesRead),
    ...body.output.map(({ name }) => name),
  ]);
  return [...node.input, ...inside];
}
