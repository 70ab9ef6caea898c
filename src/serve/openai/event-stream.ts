/**
 * Server-sent events as OpenAI writes them: one `data:` line each, `[DONE]` at the end. Made when the client takes them.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function eventStream(events: Iterable<object>): Response {
  const given = lines(events);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { value, done } = given.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } });
}

function* lines(events: Iterable<object>): Generator<string, undefined> {
  for (const event of events) yield `data: ${JSON.stringify(event)}\n\n`;
  yield 'data: [DONE]\n\n';
}
