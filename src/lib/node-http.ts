// node:http without what an `import` of it costs: as an ES module every export is read at once, `WebSocket` among them, whose getter
// loads all of fetch, 6 MB in each thread that does it. Taken from the CommonJS side only what is used is loaded.

const http = process.getBuiltinModule('node:http');

export const { createServer, IncomingMessage, validateHeaderName, validateHeaderValue } = http;

/** node:https, loaded only where a listener has TLS. */
export function nodeHttps(): typeof import('node:https') {
  return process.getBuiltinModule('node:https');
}
