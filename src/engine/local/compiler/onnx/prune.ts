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
