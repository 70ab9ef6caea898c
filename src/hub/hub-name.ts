/** A model of the Hugging Face hub, as people write it: `HuggingFaceTB/SmolLM2-135M-Instruct@main`. */
export type HubName = {
  /** `organisation/model`. */
  readonly id: string;
  /** A branch, a tag or the hash of a commit. */
  readonly revision: string;
};

const PART = String.raw`[A-Za-z0-9][\w.-]*`;
const FORM = new RegExp(`^(${PART}/${PART})(?:@(${PART}(?:/${PART})*))?$`);

/** Undefined for a text that cannot be such a name; a folder of that name comes first, which the caller looks for. */
export function parseHubName(text: string): HubName | undefined {
  const [, id, revision = 'main'] = FORM.exec(text) ?? [];
  const climbs = text.includes('..') || text.endsWith('.gguf');
  return id === undefined || climbs ? undefined : { id, revision };
}

/** With the commit's hash: what a record keeps. */
export const fullName = ({ id }: HubName, commit: string): string => `${id}@${commit}`;
