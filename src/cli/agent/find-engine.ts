import type { SeenEngine } from '../../agent/engine-watch.ts';
import { asker } from '../../control-plane/engines/ask.ts';
import { probeNode } from '../../control-plane/engines/probe-node.ts';
import { isWorthFinding, usualPorts } from '../../control-plane/nodes/discovery.ts';
import { readNodeUrl } from '../../control-plane/nodes/node-address.ts';
import type { ProbeAnswer } from '../../control-plane/probe.ts';
import type { HttpClient } from '../../http-client/http-client.ts';

// An agent looks for engines as the router itself does, by the same probes and on the same ports.

const PROBE_WITHIN_MS = 3000;

/** Probes one address; the probe resolves with null where no engine answers. */
export function engineProbe(httpClient: HttpClient, key: string | null): (url: string) => Promise<SeenEngine | null> {
  return async (url) => {
    const answer = await ask(httpClient, key, url);
    return answer && { url, kind: answer.engine, version: answer.version };
  };
}

/** Looks at all usual ports of this machine but `exceptPort`. */
export function engineSearch(
  httpClient: HttpClient,
  key: string | null,
  exceptPort: number | null,
): () => Promise<readonly SeenEngine[]> {
  return async () => {
    const urls = usualPorts.filter((port) => port !== exceptPort).map((port) => `http://127.0.0.1:${port}`);
    const answers = await Promise.all(urls.map(async (url) => ({ url, answer: await ask(httpClient, key, url) })));
    return answers.flatMap(({ url, answer }) =>
      answer && isWorthFinding(answer) ? { url, kind: answer.engine, version: answer.version } : [],
    );
  };
}

async function ask(httpClient: HttpClient, key: string | null, url: string): Promise<ProbeAnswer | null> {
  const { origin, basePath } = readNodeUrl(url);
  const pool = `engine ${origin}`;
  const headers = key === null ? [] : ['authorization', `Bearer ${key}`];
  const node = { target: { pool, origin, tls: null, connectMs: PROBE_WITHIN_MS }, basePath, headers };
  const result = await probeNode(asker(httpClient, node, PROBE_WITHIN_MS), null, false, null);
  httpClient.retire(pool);
  return result.kind === 'answered' ? result : null;
}
