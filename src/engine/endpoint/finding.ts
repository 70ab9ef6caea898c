/** What was found out, and how: a sentence for the report. */
export type Finding = { readonly can: boolean; readonly how: string };

export const yes = (how: string): Finding => ({ can: true, how });
export const no = (how: string): Finding => ({ can: false, how });
