/** Thousands may have commas; a minus sign belongs to the number unless something stands right before it. */
const NUMBER = /(?<![\w)])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d|,\d)|(?<![\w)])-?\d+(?:\.\d+)?/g;

/** The numbers in a plain text, in order. */
export function numbersIn(text: string): number[] {
  return [...text.matchAll(NUMBER)].map(([number]) => Number(number.replaceAll(',', '')) + 0); // + 0: no negative zero
}

/** The numbers that a statement gives as its result: of an equation what stands behind the last `=`. */
export function resultsIn(statement: string): string[] {
  return numbersIn(statement.slice(statement.lastIndexOf('=') + 1)).map(String);
}

/** 1,440 as 1440. */
export const withoutCommas = (text: string): string => text.replaceAll(/(?<=\d),(?=\d{3}(?!\d))/g, '');

/** A number as a summand: negative ones in brackets. */
export const summand = (number: number): string => (number < 0 ? `(${number})` : String(number));
