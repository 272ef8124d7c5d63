import type { ServerResponse } from 'node:http';
import type { FaultBoard } from './faults.ts';

/** Answers the engine's own `/sim/` endpoints: what it counted, and its faults to read, replace and remove. */
export function control(
  method: string,
  path: string,
  body: Buffer,
  response: ServerResponse,
  { stats, faults }: { stats: () => unknown; faults: FaultBoard },
): void {
  const say = (status: number, value: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  if (method === 'GET' && path === '/sim/stats') say(200, stats());
  else if (path === '/sim/faults' && method === 'GET') say(200, faults.list());
  else if (path === '/sim/faults' && (method === 'POST' || method === 'DELETE')) {
    try {
      faults.set(method === 'DELETE' ? [] : (JSON.parse(body.toString()) as unknown));
      say(200, faults.list());
    } catch (error) {
      say(400, { error: error instanceof Error ? error.message : String(error) });
    }
  } else say(404, { error: 'there are GET /sim/stats and GET, POST, DELETE /sim/faults' });
}
