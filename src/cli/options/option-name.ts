/** `--base-url`, as it is written on the command line, of the name under which the program has it. */
export function optionName(attribute: string): string {
  return `--${attribute.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
