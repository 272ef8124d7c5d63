import { lookup, resolveSrv } from 'node:dns/promises';
import type { Resolver } from './dns-discovery.ts';

/** DNS as this machine sees it: with its hosts file and search domains, SRV records aside, which only servers have. */
export const systemResolver: Resolver = {
  addresses: async (name) => {
    const found = await lookup(name, { all: true, order: 'verbatim' });
    return [...new Set(found.map(({ address }) => address))];
  },
  services: (name) => resolveSrv(name),
};
