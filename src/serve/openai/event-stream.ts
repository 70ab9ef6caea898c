/**
 * Server-sent events as OpenAI writes them: one `data:` line each, `[DONE]` at the end. Made when the client takes them.
 * @param end called once, when all are sent, one could not be made, or the client has gone.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function eventStream(events: AsyncIterable<object> | Iterable<object>, end: () => void): Response {
  const given = lines(events, end);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await given.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    cancel: end,
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } });
}

async function* lines(
  events: AsyncIterable<object> | Iterable<object>,
  end: () => void,
): AsyncGenerator<string, undefined> {
  try {
    for await (const event of events) yield `data: ${JSON.stringify(event)}\n\n`;
    yield 'data: [DONE]\n\n';
  } finally {
    end();
  }
}
