import type { NodeSettings } from '../../fleet/settings.ts';
import { line, parsed, size } from '../values/kinds.ts';
import { bad, good, type Reading } from '../values/units.ts';
import type { Fields } from './fields.ts';
import { readNodeUrl } from './node-names.ts';

// What a node's entry says for its upkeep rather than for requests: which group it belongs to, how much its models may take, and
// where its log is.

/** Among the fields of a node's entry. */
export const upkeepFields = ['tags', 'memory', 'logsUrl'] as const;

const GB = 1024 ** 3;
const memory = size({ minBytes: GB / 16, maxBytes: 1024 * 1024 * GB });
const logsUrl = parsed('URL', readLogsUrl, String);
const tag = line('tag', checkTag);

type Upkeep = Pick<NodeSettings, 'tags' | 'memoryBytes' | 'logsUrl'>;

export function readUpkeep(fields: Fields): Upkeep {
  const tags = fields.list('tags', tag);
  const memoryBytes = fields.scalar('memory', memory);
  const url = fields.scalar('logsUrl', logsUrl);
  return {
    ...(tags === undefined ? {} : { tags: [...new Set(tags)] }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(url === undefined ? {} : { logsUrl: url }),
  };
}

/** What is wrong with a tag, or null. */
export function checkTag(text: string): string | null {
  return /^[\w.:=-]{1,64}$/.test(text)
    ? null
    : `"${text}" is not a tag; write 1 to 64 letters, digits and signs of ". : = - _"`;
}

/** As a node's address, but a query may be part of it. */
function readLogsUrl(text: string): Reading<string> {
  if (text.includes('#')) return bad(`"${text}" has a fragment; write the URL without it`);
  const query = text.indexOf('?');
  const address = readNodeUrl(query < 0 ? text : text.slice(0, query));
  return address.ok ? good(text.trim()) : address;
}
