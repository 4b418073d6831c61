// The same sidecar on wasi:http itself, without the web's own Request and
// Response: it exports what the host calls for each request.

import { now as wallClock } from 'wasi:clocks/wall-clock@0.2.10';
import { Fields, OutgoingBody, OutgoingResponse, ResponseOutparam } from 'wasi:http/types@0.2.10';
import { getRandomU64 } from 'wasi:random/random@0.2.10';

export const incomingHandler = { handle };

function handle(request, responseOut) {
  const unix = wallClock().seconds;
  const time = new Date(Number(unix) * 1000).toISOString().replace('.000', '');
  if (request.pathWithQuery()?.endsWith('?format=text')) {
    answer(responseOut, 'text/plain', `${time}\n`);
    return;
  }

  // Drawn anew in each instance, so a caller can tell them apart.
  const instance = getRandomU64().toString(16).padStart(16, '0');
  const body = { time, unix: Number(unix), instance, language: 'javascript' };
  answer(responseOut, 'application/json', `${JSON.stringify(body)}\n`);
}

function answer(responseOut, contentType, text) {
  const bytes = (string) => new TextEncoder().encode(string);
  const response = new OutgoingResponse(Fields.fromList([['content-type', bytes(contentType)]]));
  const body = response.body();
  ResponseOutparam.set(responseOut, { tag: 'ok', val: response });
  const stream = body.write();
  stream.blockingWriteAndFlush(bytes(text));
  stream[Symbol.dispose](); // a body cannot be finished while its stream is there
  OutgoingBody.finish(body, undefined);
}
