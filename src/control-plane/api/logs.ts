import { textField } from '../json.ts';
import { readNodeLog } from '../nodes/node-log.ts';
import { scrubber } from '../telemetry/scrub.ts';
import type { AdminState } from './admin-state.ts';
import { ApiError, type Call, type Reply, type Route } from './call.ts';
import { findNode } from './find-node.ts';

// Logs: the router's own, and each node's where its `logsUrl` says where to read it. Both are scrubbed of secrets on their way out
// and bounded in lines and bytes, the newest kept. Oldest first, as in a terminal.

const MOST_LINES = 2000;
const MOST_BYTES = 1024 * 1024;
const MOST_FOLLOWERS = 16;
const levels = ['debug', 'info', 'warn', 'error'] as const;

export function logRoutes(state: AdminState): readonly Route[] {
  const { fleet, log } = state;
  let followers = 0;
  const scrub = scrubber(() => secretsOf(state));

  const own = async (call: Call): Promise<Reply> => {
    const { checkQuery, logFilter } = await import('./input.ts');
    const { tail, level, follow } = checkQuery(logFilter, call.query);
    const isWanted = (line: unknown): boolean => level === undefined || rank(line) >= levels.indexOf(level);
    const newest = log
      .tail(MOST_LINES)
      .map((line) => parse(scrub(line)))
      .filter(isWanted)
      .slice(-tail);
    if (follow !== '1') return { status: 200, body: { data: withinBytes(newest) } };
    if (followers >= MOST_FOLLOWERS) {
      throw new ApiError(429, 'too_many_followers', `${MOST_FOLLOWERS} clients follow the log already. Close one.`);
    }
    followers += 1;
    return {
      status: 200,
      body: null,
      events: (sink) => {
        for (const line of newest) sink.send(line);
        const end = log.follow((lines) => {
          for (const line of lines
            .trimEnd()
            .split('\n')
            .map((text) => parse(scrub(text)))) {
            if (isWanted(line)) sink.send(line);
          }
        });
        return () => {
          followers -= 1;
          end();
        };
      },
    };
  };

  const ofNode = async (call: Call): Promise<Reply> => {
    const node = findNode(fleet.registry, call);
    const { checkQuery, nodeLogFilter } = await import('./input.ts');
    const { tail } = checkQuery(nodeLogFilter, call.query);
    const told = state.agentDesk.logOf(node.id);
    if (told) {
      const lines = withinBytes(told.lines.slice(-tail).map(scrub));
      return { status: 200, body: { data: lines, truncated: told.isCut || lines.length < told.lines.length } };
    }
    const source = state.logSource(node);
    if (!source) {
      throw new ApiError(
        409,
        'log_not_offered',
        `The node ${node.settings.name} offers no log. Set its logsUrl to where its log can be read as text, or give its agent --logs.`,
      );
    }
    const read = await readNodeLog(state.httpClient, state.clock, source, tail);
    if (read.kind === 'failed') {
      throw new ApiError(
        502,
        'log_unreadable',
        `The log of ${node.settings.name} could not be read: ${scrub(read.detail)}. Check its logsUrl.`,
      );
    }
    const lines = withinBytes(read.lines.map(scrub));
    return { status: 200, body: { data: lines, truncated: read.isCut || lines.length < read.lines.length } };
  };

  return [
    { method: 'GET', path: '/api/logs', answer: own },
    { method: 'GET', path: '/api/nodes/:id/logs', answer: ofNode },
  ];
}

/** What this router was given to keep. */
function secretsOf({ settings, fleet }: AdminState): readonly string[] {
  const secrets = fleet.registry
    .all()
    .flatMap(({ settings: { apiKey, headers } }) => (apiKey ? [apiKey] : []).concat(Object.values(headers)));
  return settings.admin.token === null ? secrets : [settings.admin.token].concat(secrets);
}

function rank(line: unknown): number {
  return levels.findIndex((level) => level === textField(line, 'level'));
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return { level: 'info', message: line };
  }
}

/** The newest that fit. */
function withinBytes<T>(lines: readonly T[]): readonly T[] {
  let bytes = 0;
  let from = lines.length;
  while (from > 0) {
    bytes += JSON.stringify(lines[from - 1]).length;
    if (bytes > MOST_BYTES) break;
    from -= 1;
  }
  return lines.slice(from);
}
