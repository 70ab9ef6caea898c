/**
 * Milliseconds that a server asks to wait: `retry-after-ms` (OpenAI, Azure), or `Retry-After` in either form of RFC 9110
 * section 10.2.3, seconds or a date. Undefined where it does not say, or says what cannot be read.
 */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const milliseconds = readNumber(headers.get('retry-after-ms'));
  if (milliseconds !== undefined) return milliseconds;
  const text = headers.get('retry-after');
  const seconds = readNumber(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(text ?? '');
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function readNumber(text: string | null): number | undefined {
  return text !== null && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}
