import { parse, tokenize } from '@huggingface/jinja';
import { characters, FILTERS, METHODS, str } from './python-text.ts';

/**
 * @file `@huggingface/jinja` writes `true`, `none` and lists as JavaScript does, ignores what `strip` is given, and so on.
 * A parsed template is rewritten here so that those places call Python's functions instead.
 */

/** A node of the library's syntax tree, whose classes it does not export. */
type Node = { type: string; [field: string]: unknown };
type Body = { readonly body: Node[] };

const PREFIX = '_python_';

/** What rewritten templates call. */
export const pythonFunctions: Readonly<Record<string, unknown>> = Object.fromEntries([
  ...Object.entries(METHODS).map(([name, run]) => [`${PREFIX}method_${name}`, run]),
  ...Object.entries(FILTERS).map(([name, run]) => [`${PREFIX}filter_${name}`, run]),
  [`${PREFIX}str`, str],
  [`${PREFIX}characters`, characters],
]);

/** The nodes of a piece of template: a new node is made by parsing one. */
const parsed = (source: string): Node[] => (parse(tokenize(source)) as unknown as Body).body; // the tree as it is

const call = (name: string, args: readonly unknown[]): Node => ({ ...sample(`{{ ${PREFIX}${name}() }}`), args });

/** A node that keeps its class. */
function sample(source: string): Node {
  const [node] = parsed(source);
  if (node === undefined) throw new Error(`${source} is no node`);
  return node;
}

/** Rewrites a parsed template in place. */
export function withPythonSemantics(program: object): void {
  rewrite(program as Node); // the library's own
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'type' in value;

function rewrite(node: Node): Node {
  for (const [field, value] of Object.entries(node)) {
    if (Array.isArray(value)) node[field] = value.flatMap((one) => rewriteIn(field, one));
    else if (value instanceof Map) node[field] = new Map([...value].map(([key, one]) => [rewrite(key), rewrite(one)]));
    else if (isNode(value) && field !== 'operator') node[field] = rewrite(value);
  }
  return REWRITES[node.type]?.(node) ?? node;
}

const BODIES = ['body', 'alternate', 'defaultBlock'];

const isExpression = ({ type }: Node): boolean => /Expression$|Literal$|^Identifier$|^Ternary$/.test(type);

/** An expression among statements is written out. */
function rewriteIn(field: string, one: unknown): unknown[] {
  if (!isNode(one)) return [one];
  const node = rewrite(one);
  return BODIES.includes(field) && isExpression(node) && !isText(node) ? written(node) : [node];
}

/** Numbers stay the library's: it tells 1.0 from 1, and none from undefined, which their bare values do not. */
const AS_TEXT = `x if x is number else ('None' if x is none else ${PREFIX}str(x))`;

function written(value: Node): Node[] {
  const out = `${PREFIX}out`;
  const [set, choice] = parsed(`{% set ${out} = 0 %}{{ ${AS_TEXT.replaceAll(/\bx\b/g, out)} }}`);
  return set === undefined || choice === undefined ? [value] : [Object.assign(set, { value }), choice];
}

/** By the type of the node; undefined leaves it as it is. */
const REWRITES: Readonly<Record<string, (node: Node) => Node | undefined>> = {
  CallExpression: ({ callee, args }) => {
    const method = isNode(callee) && callee.type === 'MemberExpression' && !callee.computed ? callee : undefined;
    const name = isNode(method?.property) ? String(method.property.value) : '';
    if (method === undefined || !Object.hasOwn(METHODS, name)) return undefined;
    return call(`method_${name}`, [method.object, ...(args as unknown[])]); // a call has them
  },
  FilterExpression: ({ operand, filter }) => {
    if (!isNode(filter)) return undefined;
    const [named, args] = filter.type === 'CallExpression' ? [filter.callee, filter.args] : [filter, []];
    const name = isNode(named) ? String(named.value) : '';
    if (name === 'string') return filledIn(`{{ x | string if x is number else (${AS_TEXT}) }}`, operand);
    return Object.hasOwn(FILTERS, name) ? call(`filter_${name}`, [operand, ...(args as unknown[])]) : undefined; // as above
  },
  BinaryExpression: (node) => {
    const { operator, left, right } = node;
    const sign = isNode(operator) ? operator.value : undefined;
    if (sign === '~') return Object.assign(node, { left: asText(left), right: asText(right) });
    if (sign !== '==' && sign !== '!=') return undefined;
    const other = isNone(right) ? left : isNone(left) ? right : undefined;
    if (other === undefined) return undefined;
    return filledIn(`{{ x is ${sign === '!=' ? 'not ' : ''}none }}`, other);
  },
  TestExpression: (node) => {
    const also = isNode(node.test) ? WIDER[String(node.test.value)] : undefined;
    if (also === undefined) return undefined;
    const negated = node.negate ? 'not ' : '';
    const other = Object.assign(sample(`{{ x is ${negated}${also} }}`), { operand: node.operand });
    return Object.assign(sample(`{{ x ${node.negate ? 'and' : 'or'} x }}`), { left: node, right: other });
  },
  For: (node) => {
    const selected = isNode(node.iterable) && node.iterable.type === 'SelectExpression' ? node.iterable : undefined;
    if (selected) selected.lhs = looped(selected.lhs);
    else node.iterable = looped(node.iterable);
    return node;
  },
};

const isNone = (node: unknown): boolean =>
  isNode(node) && node.type === 'Identifier' && /^none$/i.test(String(node.value));

/** Whether a node is a text whatever its parts are: the library adds a text to anything, and refuses what Python refuses. */
function isText(node: unknown): boolean {
  if (!isNode(node)) return false;
  if (node.type !== 'BinaryExpression') return node.type === 'StringLiteral';
  const sign = isNode(node.operator) ? node.operator.value : undefined;
  return sign === '~' || (sign === '+' && (isText(node.left) || isText(node.right)));
}

const asText = (node: unknown): unknown => (isText(node) ? node : filledIn(`{{ ${AS_TEXT} }}`, node));

/** A piece of template in which a node stands wherever `x` does. */
function filledIn(source: string, node: unknown): Node {
  const fill = (one: Node): Node => {
    if (one.type === 'Identifier' && one.value === 'x') return node as Node; // what the callers give
    for (const [field, value] of Object.entries(one)) {
      if (isNode(value) && field !== 'operator') one[field] = fill(value);
      else if (Array.isArray(value)) one[field] = value.map((item) => (isNode(item) ? fill(item) : item));
    }
    return one;
  };
  return fill(sample(source));
}

/** A text is looped over by its characters. */
const looped = (iterable: unknown): Node => filledIn(`{{ ${PREFIX}characters(x) if x is string else x }}`, iterable);

/** What Python's tests hold for besides. */
const WIDER: Readonly<Record<string, string>> = { number: 'boolean', iterable: 'mapping' };
