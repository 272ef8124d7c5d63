import type { ErrorCode } from '../fleet/errors.ts';
import { prefixIn } from '../fleet/offered-models.ts';
import type { FleetSnapshot } from '../fleet/snapshot.ts';

/** What a client is told of a model that nobody offers where the router's own configuration is the reason; undefined where it is not. */
export function missingHint(snapshot: FleetSnapshot, code: ErrorCode, name: string): string | undefined {
  const prefix = prefixIn(name);
  if (code === 'model_not_found' && prefix !== null && !snapshot.models.has(prefix))
    return unconfigured(prefix.slice(0, -1));
  if (snapshot.nodes.some((node) => node !== null)) return undefined;
  const first = code === 'no_ready_node' ? 'No node is ready' : 'No node offers this model';
  return (
    `${first}: no inference node is registered and none was found on this machine. Add one with ` +
    '"weir serve --node http://HOST:PORT", with "nodes:" in the configuration file, or with POST /api/nodes on the ' +
    'admin listener; or try the demonstration: npm run demo.'
  );
}

function unconfigured(provider: string): string {
  const name = provider.toUpperCase();
  return (
    `No node offers this model, and the provider that its name begins with is not configured. Give the router its key: ` +
    `providers: { ${provider}: { apiKey: "\${${name}_API_KEY}" } } in the configuration file, or the variable ` +
    `WEIR_PROVIDERS_${name}_API_KEY.`
  );
}
