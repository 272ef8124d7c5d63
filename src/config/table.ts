import { policies } from '../fleet/glossary.ts';
import { readNodeUrl } from './entries/node-names.ts';
import { providerRows } from './provider-table.ts';
import { parseAddress, parseRange, showAddress } from './values/addresses.ts';
import { parseOrigin } from './values/origins.ts';
import {
  choice,
  count,
  duration,
  flag,
  fraction,
  line,
  list,
  optional,
  parsed,
  size,
  type Kind,
  word,
} from './values/kinds.ts';
import { bad, good, type Reading } from './values/units.ts';

// Every setting that is one value, in one table: the file's keys, the WEIR_* variables, the flags, the help, the
// reference in docs/configuration.md and the listing of `weir config check` are all made from it, so none of them can
// know a setting that another does not. Lists of things (`nodes`, `auth.keys`, `timeouts.models`) are read in entries/.

export interface Row<T> {
  /** Where it stands in the file. */
  readonly path: string;
  readonly kind: Kind<T>;
  /** As a user would write it; null where nothing is set. */
  readonly fallback: string | null;
  /** One or two sentences for people. */
  readonly doc: string;
  /** Never shown, and no flag: other users of a machine can read the command lines of its processes. */
  readonly secret?: true;
  /** A path in the file system: `~` is the home directory, and relative ones start at the file that names them. */
  readonly isPath?: true;
  /** Taken at the start only. */
  readonly restart?: true;
}

const address = parsed('host:port', parseAddress, showAddress);
const pemPath = optional(line('path'));
/** The last fifth: below it everybody may wait. */
const MOST_RESERVED = 0.2;
const KB = 1024;
const GB = 1024 ** 3;

function readReserved(text: string): Reading<number> {
  const written = text.trim().toLowerCase();
  if (written === 'false') return good(0);
  if (written === 'true') return good(MOST_RESERVED);
  const share = /^\d*\.?\d+$/.test(written) ? Number(written) : Number.NaN;
  return share >= 0 && share <= MOST_RESERVED
    ? good(share)
    : bad(`"${text}" is no share of the places; write true, false or a number from 0 to ${MOST_RESERVED}`);
}

function row<T>(path: string, kind: Kind<T>, fallback: string | null, doc: string): Row<T> {
  return { path, kind, fallback, doc };
}

function pathRow<T>(path: string, kind: Kind<T>, fallback: string | null, doc: string): Row<T> {
  return { path, kind, fallback, doc, isPath: true };
}

function atStart<T>(each: Row<T>): Row<T> {
  return { ...each, restart: true };
}

export const table = {
  listen: atStart(
    row(
      'listen',
      address,
      '127.0.0.1:9347',
      'Where clients connect. Port 0 takes any free port. An address other than loopback requires keys unless `auth.clients` says otherwise.',
    ),
  ),
  threads: atStart(
    row(
      'threads',
      count({ min: 1, max: 64 }),
      '1',
      'Threads that relay requests, at most one per core. More than 1 on Linux only. The slots of nodes, the waiting room and the limits of keys are the same for all of them.',
    ),
  ),
  tlsCert: atStart(
    pathRow(
      'tls.cert',
      pemPath,
      null,
      "PEM file with the certificate of the clients' listener. Together with `tls.key`.",
    ),
  ),
  tlsKey: atStart(pathRow('tls.key', pemPath, null, "PEM file with the private key of the clients' listener.")),
  adminListen: atStart(
    row(
      'admin.listen',
      address,
      '127.0.0.1:9348',
      'Where the admin API, the dashboard and the metrics listen. An address other than loopback needs `admin.tls`.',
    ),
  ),
  adminTlsCert: atStart(
    pathRow(
      'admin.tls.cert',
      pemPath,
      null,
      'PEM file with the certificate of the admin listener. Together with `admin.tls.key`.',
    ),
  ),
  adminTlsKey: atStart(pathRow('admin.tls.key', pemPath, null, 'PEM file with the private key of the admin listener.')),
  adminToken: {
    ...row(
      'admin.token',
      optional(word('token')),
      null,
      'The token the admin API asks for. Without one, a token is made on the first start, printed once and kept in `dataDir`.',
    ),
    secret: true,
    restart: true,
  },
  agentsListen: atStart(
    row(
      'agents.listen',
      optional(address),
      null,
      'Where `weir agent` joins the fleet, such as `0.0.0.0:9349`. Nowhere without it. An address other than loopback needs `agents.tls`.',
    ),
  ),
  agentsTlsCert: atStart(
    pathRow(
      'agents.tls.cert',
      pemPath,
      null,
      'PEM file with the certificate of the listener of agents. Together with `agents.tls.key`.',
    ),
  ),
  agentsTlsKey: atStart(
    pathRow('agents.tls.key', pemPath, null, 'PEM file with the private key of the listener of agents.'),
  ),
  agentsHeartbeat: atStart(
    row('agents.heartbeat', duration({ minMs: 100 }), '10s', 'Time between two heartbeats of an agent.'),
  ),
  agentsTimeout: atStart(
    row(
      'agents.timeout',
      duration({ minMs: 200 }),
      '30s',
      'Silence of an agent after which its node counts as gone. At least twice `agents.heartbeat`.',
    ),
  ),
  dataDir: atStart(
    pathRow(
      'dataDir',
      line('path'),
      '~/.weir',
      'Directory of the database and secrets, mode 0700. One process at a time uses it.',
    ),
  ),
  insecure: atStart(
    row(
      'insecure',
      flag,
      'false',
      'Start even where strangers could use the router without a key or read the admin token on the wire.',
    ),
  ),
  authClients: row(
    'auth.clients',
    choice(['auto', 'required', 'off']),
    'auto',
    'Whether clients need a key. `auto`: only when `listen` is not a loopback address.',
  ),
  trustedProxies: row(
    'auth.trustedProxies',
    list('addresses', parseRange),
    '',
    'Addresses or CIDR ranges whose `X-Forwarded-For` is believed.',
  ),
  corsOrigins: row(
    'cors.origins',
    list('origins', parseOrigin),
    '',
    'Origins whose web pages may use the router from a browser, such as `https://chat.example`. `*` is every page, and needs keys to be required.',
  ),
  discoveryEnabled: row('discovery.enabled', flag, 'true', "Look for engines on this machine's usual ports."),
  discoveryFile: pathRow(
    'discovery.file',
    optional(line('path')),
    null,
    'YAML or JSON file with a list of nodes as under `nodes`, kept by another program. It is watched, and may come later.',
  ),
  healthInterval: row('health.interval', duration({ minMs: 100 }), '5s', 'Time between two probes of a node.'),
  healthTimeout: row('health.timeout', duration({ minMs: 10 }), '3s', 'How long a probe may take.'),
  maxWaiters: row(
    'queue.maxWaiters',
    count({ min: 1, max: 1_000_000 }),
    '1024',
    'Places in the waiting room. From half of them on newcomers are slowed down, from 80 % on refused.',
  ),
  queueTimeout: row('queue.timeout', duration({ minMs: 1 }), '30s', 'How long a request may wait for a free slot.'),
  queueMaxBytes: row(
    'queue.maxBytes',
    size({ minBytes: KB, maxBytes: 1024 * GB }),
    '256mb',
    'Memory that the bodies of waiting requests may take together.',
  ),
  maxShare: row(
    'queue.maxShare',
    fraction({ max: 1, example: '0.75' }),
    '0.75',
    'Share of the places that one model may hold where the fleet serves more than one.',
  ),
  reserved: row(
    'queue.reserved',
    parsed('true|false|share', readReserved, String),
    'false',
    'Share of the places above 80 % that requests of high priority may use; `true` for all of them, which is 0.2.',
  ),
  maxIdlePerNode: row(
    'pool.maxIdlePerNode',
    count({ min: 0, max: 10_000 }),
    '32',
    'Idle connections kept open to a node. 0 opens a new one for every request.',
  ),
  poolIdleTimeout: row('pool.idleTimeout', duration({ minMs: 1 }), '60s', 'How long an idle connection is kept.'),
  tcpKeepAlive: row(
    'pool.tcpKeepAlive',
    duration({ minMs: 0 }),
    '30s',
    'Idle time before TCP checks that the other side is alive; 0 never checks.',
  ),
  policy: row(
    'selection.policy',
    choice(policies),
    'adaptive',
    'How a node is chosen among those that can serve a request.',
  ),
  cacheTtl: row(
    'selection.cacheTtl',
    duration({ minMs: 0, maxMs: 60_000 }),
    '10ms',
    'How long the list of candidates for a model is kept. Live counts are never cached.',
  ),
  connectTimeout: row('timeouts.connect', duration({ minMs: 1 }), '5s', 'To open a connection to a node.'),
  firstByteTimeout: row(
    'timeouts.firstByte',
    duration({ minMs: 1 }),
    '300s',
    "From sending a request to a node until the first byte of the answer's body.",
  ),
  betweenBytesTimeout: row(
    'timeouts.betweenBytes',
    duration({ minMs: 1 }),
    '120s',
    'Longest silence of a node in the middle of an answer, and longest time that a client may take nothing of it.',
  ),
  clientBodyTimeout: row(
    'timeouts.clientBody',
    duration({ minMs: 1 }),
    '30s',
    'For a client to send its headers, and then its body; for the rest of a long upload, once it has its slot, the time without a byte. Taking the answer is not covered: see timeouts.betweenBytes.',
  ),
  keepAlive: row(
    'timeouts.keepAlive',
    duration({ minMs: 0 }),
    '15s',
    'How long a stream may stay silent while it waits for a slot or for a node, before its client is sent a comment, and again after as long. From then on its status is 200 and a refusal is told in the stream. 0: never.',
  ),
  shutdownTimeout: row(
    'timeouts.shutdown',
    duration({ minMs: 0 }),
    '30s',
    'How long running answers may go on after a request to stop.',
  ),
  resumeStreams: row(
    'streams.resume',
    flag,
    'true',
    'Whether a stream of plain text that breaks in the middle goes on at another node of the same model (llama.cpp, vLLM, SGLang). A client switches it off for a request with `x-weir-resume: off`.',
  ),
  bodyLimit: row(
    'limits.body',
    size({ minBytes: KB, maxBytes: GB }),
    '32mb',
    'Largest request body; larger ones are answered 413.',
  ),
  historyDays: row(
    'history.days',
    count({ min: 1, max: 3650 }),
    '7',
    'Days that the history of requests is kept. It holds no prompts and no answers.',
  ),
  historyMaxRows: row(
    'history.maxRows',
    count({ min: 1, max: 1_000_000_000 }),
    '1000000',
    'Requests kept in the history at most.',
  ),
  catalogueUrl: row(
    'catalogue.url',
    parsed('URL', readNodeUrl, String),
    'https://huggingface.co',
    'Where `GET /api/models/catalogue` searches: a model hub with the API of Hugging Face.',
  ),
  catalogueCacheTtl: row(
    'catalogue.cacheTtl',
    duration({ minMs: 0 }),
    '10m',
    'How long the answer to a search is kept. While the hub is away older ones are shown, marked as such.',
  ),
  maxPulls: row(
    'tasks.maxPulls',
    count({ min: 1, max: 1000 }),
    '4',
    'Models pulled at the same time, over all nodes; on one node always one after the other.',
  ),
  logLevel: row(
    'log.level',
    choice(['debug', 'info', 'warn', 'error', 'silent']),
    'info',
    'What is logged on standard output.',
  ),
} as const satisfies Record<string, Row<unknown>>;

export const rows: readonly Row<unknown>[] = [...Object.values(table), ...providerRows];

/** queue.maxWaiters → WEIR_QUEUE_MAX_WAITERS */
export function variableName(path: string): string {
  return `WEIR_${words(path).join('_').toUpperCase()}`;
}

/** queue.maxWaiters → queue-max-waiters */
export function flagName(path: string): string {
  return words(path).join('-');
}

function words(path: string): string[] {
  return path.split('.').flatMap((part) => part.split(/(?=[A-Z])/).map((each) => each.toLowerCase()));
}
