// Forms as bytes, for requests that are written by hand.

const BOUNDARY = 'xYz';

export const formType = `multipart/form-data; boundary=${BOUNDARY}`;

export function formField(name: string, value: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

/** A file's part up to its first byte. */
export const fileHead = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n`;

/** What follows a part's last byte where it is the last part. */
export const formEnd = `\r\n--${BOUNDARY}--\r\n`;

/** What follows a file's last byte where this field is the last part. */
export function lastField(name: string, value: string): string {
  return `\r\n${formField(name, value)}--${BOUNDARY}--\r\n`;
}

/** The head of an upload; with no length its body is in chunks. */
export function uploadHead(length: number | null, lines: readonly string[] = []): string {
  const framing = length === null ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  const path = '/v1/audio/transcriptions';
  return [`POST ${path} HTTP/1.1`, 'host: localhost', `content-type: ${formType}`, framing, ...lines, '', ''].join(
    '\r\n',
  );
}

/** One chunk of a body in chunks. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`;
}
