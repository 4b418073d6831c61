// A sidecar that tells the time, as a service worker writes it: a listener for
// the fetch event. Each request runs it in an instance of its own.

addEventListener('fetch', (event) => event.respondWith(answer(event.request)));

function answer(request) {
  const now = new Date();
  now.setUTCMilliseconds(0);
  const time = now.toISOString().replace('.000', '');
  if (new URL(request.url).search === '?format=text') {
    return new Response(`${time}\n`, { headers: { 'content-type': 'text/plain' } });
  }

  // Drawn anew in each instance, so a caller can tell them apart.
  const id = crypto.getRandomValues(new Uint8Array(8));
  const instance = Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const body = { time, unix: now.getTime() / 1000, instance, language: 'javascript' };
  return new Response(`${JSON.stringify(body)}\n`, { headers: { 'content-type': 'application/json' } });
}
