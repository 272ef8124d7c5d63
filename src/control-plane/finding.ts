import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Settings } from '../fleet/settings.ts';
import type { Clock } from '../lib/clock.ts';
import { foundBy, type FleetParts, type NodeOrigin, replaceNodes } from './fleet-change.ts';
import { discoveredSettings } from './fleet-start.ts';
import { Discovery, usualPorts } from './nodes/discovery.ts';
import { DnsDiscovery, type Resolver } from './nodes/dns-discovery.ts';
import type { FirstRound } from './nodes/first-round.ts';
import type { ProbeResult } from './probe.ts';
import type { Log } from './telemetry/log.ts';

// All the ways in which nodes are found: at this machine's ports, by names in DNS, in a file that another program keeps (which is read
// where the settings are, and comes with them). Each is begun, changed and ended as the settings say while the router runs.

const PORTS = 'discovery';

export interface FindingOptions {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly parts: () => FleetParts;
  readonly firstRound: FirstRound;
  readonly resolver: Resolver;
  /** Asks whatever is at a port of this machine. */
  readonly probe: (baseUrl: string) => Promise<ProbeResult>;
}

export class Finding {
  readonly #options: FindingOptions;
  #ports: Discovery | null = null;
  #names: readonly DnsDiscovery[] = [];
  /** Names that have no addresses, told once. */
  readonly #empty = new Set<string>();

  constructor(options: FindingOptions) {
    this.#options = options;
  }

  /** Names what the first round of probes has to wait for. */
  announce(): void {
    const { settings, firstRound } = this.#options;
    const { enabled, dns } = settings().discovery;
    if (enabled) firstRound.await(PORTS);
    for (const { id } of dns) firstRound.await(`dns ${id}`);
  }

  /** Begins; the file's nodes are in the fleet already. */
  start(): void {
    this.#lookAtPorts();
    this.#resolveNames();
  }

  /** The settings are others. */
  changed(): void {
    const { settings, parts } = this.#options;
    replaceNodes(settings().discovery.nodes, foundBy('file'), this.#noting(parts()));
    this.#lookAtPorts();
    this.#resolveNames();
  }

  stop(): void {
    this.#ports?.stop();
    for (const name of this.#names) name.stop();
  }

  #lookAtPorts(): void {
    const { settings, parts } = this.#options;
    const isWanted = settings().discovery.enabled;
    if (isWanted === (this.#ports !== null)) return;
    this.#ports?.stop();
    this.#ports = isWanted ? this.#newPorts() : null;
    this.#ports?.start();
    if (isWanted) return;
    const { fleet } = parts();
    for (const node of fleet.registry.all()) {
      if (node.managedBy === 'discovery' && node.foundBy === null) fleet.remove(node);
    }
  }

  #newPorts(): Discovery {
    const { settings, clock, log, parts, firstRound, probe } = this.#options;
    const { listen, admin } = settings();
    return new Discovery({
      clock,
      ports: usualPorts.filter((port) => port !== listen.port && port !== admin.listen.port),
      probe,
      nodes: () => parts().fleet.registry.all(),
      onFound: (name, url) => {
        log.info('engine found on this machine', { node: name, url });
        const { fleet, table } = parts();
        const id = table.idOf(name, PORTS);
        fleet.add({
          id: fleet.registry.byId(id) ? randomUUID() : id,
          managedBy: 'discovery',
          settings: discoveredSettings(name, url),
          draining: false,
        });
      },
      onGone: (node) => parts().fleet.remove(node),
      onFirstLook: () => firstRound.done(PORTS),
    });
  }

  /** A name whose entry stays goes on; one whose entry changed is resolved anew, and its nodes are kept until that is done. */
  #resolveNames(): void {
    const { settings, parts } = this.#options;
    const { dns } = settings().discovery;
    const kept = this.#names.filter(({ source }) => dns.some((wanted) => isDeepStrictEqual(wanted, source)));
    for (const name of this.#names) {
      if (kept.includes(name)) continue;
      name.stop();
      if (!dns.some(({ id }) => id === name.source.id)) replaceNodes([], originOf(name.source.id), parts());
    }
    const sources = dns.filter((wanted) => !kept.some(({ source }) => source.id === wanted.id));
    const begun = sources.map((source) => this.#newName(source));
    this.#names = [...kept, ...begun];
    for (const name of begun) name.start();
  }

  #newName(source: Settings['discovery']['dns'][number]): DnsDiscovery {
    const { clock, log, parts, firstRound, resolver } = this.#options;
    return new DnsDiscovery(source, {
      clock,
      resolver,
      onNodes: ({ id, name }, nodes) => {
        if (nodes.length > 0) this.#empty.delete(id);
        else if (!this.#empty.has(id)) {
          this.#empty.add(id);
          log.warn('a name of nodes has no addresses', { name });
        }
        replaceNodes(nodes, originOf(id), this.#noting(parts()));
        for (const node of parts().fleet.registry.all()) if (node.probes === 0) firstRound.await(node.id);
      },
      onFailure: ({ name }, reason) => log.warn('a name of nodes could not be resolved', { name, reason }),
      onFirstLook: ({ id }) => firstRound.done(`dns ${id}`),
    });
  }

  #noting(parts: FleetParts): FleetParts {
    const { log } = this.#options;
    return {
      ...parts,
      onSkipped: ({ name, url }, other) =>
        log.info('a node that was found is there already', { node: name, url, as: other.settings.name }),
    };
  }
}

function originOf(id: string): NodeOrigin {
  return foundBy(`dns ${id}`);
}
