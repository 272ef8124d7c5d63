import { isLoopback } from '../../config/values/addresses.ts';
import { exitCodes, Failure } from '../failure.ts';

// The addresses that are given to `weir agent`: each said no to with what to write instead.

/** Throws `Failure`. */
export function readRouterUrl(written: string, isInsecure: boolean): URL {
  const url = URL.parse(written);
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    !/^\/?$/.test(url.pathname) ||
    url.search !== '' ||
    url.username !== ''
  ) {
    throw new Failure(
      exitCodes.usage,
      `--router ${written}: write where the router listens for agents, such as https://router.example:9349`,
    );
  }
  if (url.protocol === 'http:' && !isInsecure && !isLoopback(hostOf(url))) {
    throw new Failure(
      exitCodes.usage,
      `--router ${written}: without TLS the token and the prompts could be read on the way. Write https://…, or add --insecure.`,
    );
  }
  return url;
}

/** Throws `Failure`. */
export function readEngineUrl(written: string): string {
  const url = URL.parse(written);
  if (url && /^https?:$/.test(url.protocol) && url.search === '' && url.username === '')
    return written.replace(/\/+$/, '');
  throw new Failure(exitCodes.usage, `--engine ${written}: write auto, or its address such as http://127.0.0.1:8000`);
}

/** Where the router reaches the engine: as advertised, a host alone taking the place of the engine's own. Throws `Failure`. */
export function advertisedUrl(advertised: string | null, engineUrl: string): string {
  if (advertised === null) return engineUrl;
  if (/^https?:\/\//.test(advertised)) return advertised;
  const url = new URL(engineUrl);
  const written = advertised.includes(':') && !advertised.startsWith('[') ? `[${advertised}]` : advertised;
  const { hostname } = url;
  url.hostname = written;
  if (url.hostname !== hostname || written === hostname) return url.href.replace(/\/$/, '');
  throw new Failure(exitCodes.usage, `--advertise ${advertised}: write a host, such as 10.0.0.5, or a whole URL`);
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
