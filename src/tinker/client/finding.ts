/** What was found out about a server, for people and for the record. */
export type Finding = {
  readonly name: string;
  readonly found: string;
  /** Whether it is what the protocol says. */
  readonly usual: boolean;
};

export const finding = (name: string, usual: boolean, found: string): Finding => ({ name, usual, found });
