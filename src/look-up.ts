/**
 * The entry of a table under a name that comes from elsewhere: undefined where the table has none. Plain indexing would
 * find `constructor` or `toString` in every object.
 */
export function lookUp<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
