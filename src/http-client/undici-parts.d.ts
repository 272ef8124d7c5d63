// The two parts of undici that are used, without the index that loads fetch, WebSocket and the rest: 6 MB less in each thread.
declare module 'undici/lib/dispatcher/client.js' {
  import type { Client } from 'undici';
  const client: typeof Client;
  export default client;
}
declare module 'undici/lib/core/errors.js' {
  import { errors } from 'undici';
  const parts: typeof errors;
  export default parts;
}
