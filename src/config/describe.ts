import { engineKinds } from '../fleet/glossary.ts';
import { flagName, rows, variableName } from './table.ts';

// docs/configuration.md, made from the table of settings so that it cannot fall behind it. Lists of things are described
// in words here, beside their examples, which a test loads as they stand.

/** The example of docs/configuration.md; a test loads it. */
export const exampleFile = `listen: 127.0.0.1:9347
admin: { listen: 127.0.0.1:9348 }
dataDir: ~/.weir
queue: { maxWaiters: 1024, timeout: 30s, maxBytes: 256mb }
timeouts: { firstByte: 300s }
auth:
  clients: auto
  keys:
    - label: team-a
      key: "\${TEAM_A_KEY}"           # or hash: the SHA-256 of the key, 64 hex digits
      expiresAt: 2030-01-31T18:00:00Z
      models: [llama3]
      weight: 2
      maxConcurrent: 8
      ratePerMinute: 600
      maxPriority: high
      maxDeadline: 120s
      mayManage: false
      resume: true
nodes:
  - name: gpu-1
    url: "http://10.0.0.5:8000"
    engine: auto
    maxConcurrent: 16
    apiKey: "\${GPU1_KEY}"
    headers: { x-team: research }
    models: { llama3: "meta-llama/Llama-3-8B" }
    timeouts: { connect: 2s, firstByte: 600s, betweenBytes: 60s }
  - url: "https://gpu-2.internal/llm/v1"
    models: [llama3, nomic-embed-text]
    tls: { verify: true }
  - url: "http://10.0.0.7:11434"
    tags: [site-a]
    memory: 24gb
    logsUrl: "http://10.0.0.7:8080/ollama.log"
distribution:
  - { model: "llama3.2:3b", tags: [site-a] }
discovery:
  dns:
    - { name: vllm.default.svc.cluster.local, port: 8000, engine: vllm, tags: [site-a] }
providers:
  openai: { apiKey: "\${OPENAI_API_KEY}", models: [gpt-4o-mini] }
  anthropic: { apiKey: "\${ANTHROPIC_API_KEY}", maxConcurrent: 8 }
aliases:
  fast: [llama3, "openai:gpt-4o-mini"]
  mixed: { any: [{ model: llama3, weight: 3 }, { model: "llama3.2:3b", weight: 1 }] }
`;

/** The whole text of docs/configuration.md. */
export function configurationReference(): string {
  return [INTRODUCTION, '```yaml', `${exampleFile}\`\`\``, '', '## Settings', '', settingsTable(), '', LISTS].join(
    '\n',
  );
}

function settingsTable(): string {
  const lines = rows.map(({ path, kind, fallback, doc, secret }) => {
    const flag = secret === true ? 'none (see below)' : `\`--${flagName(path)}\``;
    const value = fallback === null || fallback === '' ? 'none' : `\`${fallback}\``;
    const cells = [`\`${path}\``, value, kind.name.replaceAll('|', ' \\| '), doc, `\`${variableName(path)}\``, flag];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| setting | default | kind | meaning | variable | flag |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

const RESTART = `Only a restart changes ${rows.flatMap(({ path, restart }) => (restart ? [`\`${path}\``] : [])).join(', ')}.`;

const INTRODUCTION = `<!-- Generated from src/config/describe.ts and src/config/table.ts; change those and run: node tools/write-docs.ts -->

# Configuration

Weir runs without any. \`weir config check\` prints every setting with where it came from, or everything that is wrong with them, and starts nothing.

A setting is taken from the first of these that has it:

1. the admin API: \`PUT /api/settings\` with \`{"queue":{"maxWaiters":200}}\`, until it is taken back there with \`null\`
2. a flag: \`--queue-max-waiters 200\`
3. a variable: \`WEIR_QUEUE_MAX_WAITERS=200\` (an empty one counts as unset)
4. the file, YAML or JSON: \`--config FILE\`, else the file that \`WEIR_CONFIG\` names, else \`weir.yaml\` or \`weir.yml\` in the working directory
5. the default

Names follow the place in the file: \`queue.maxWaiters\`, \`WEIR_QUEUE_MAX_WAITERS\`, \`--queue-max-waiters\`. What Weir does not know is an error that names the nearest thing it does know.

- **Durations** have a unit: \`500ms\`, \`30s\`, \`5m\`, \`1h\`, \`7d\`. A bare number is refused, except 0.
- **Sizes** count in 1024: \`256kb\`, \`32mb\`, \`1gb\`. A bare number is bytes.
- **Addresses** are \`HOST:PORT\`; IPv6 in brackets and, in a file, in quotes: \`"[::1]:9347"\`.
- **\`\${NAME}\`** inside any value of the file is replaced by that variable; one that is not set is an error. \`$\${\` writes a literal \`\${\`.
- **Paths** may start with \`~\`; relative ones start at the directory of the file, or at the working directory in a flag or variable.

## While it runs

The file is read anew when it changes (saved in place, renamed over, or swapped as Kubernetes does with a ConfigMap) and on SIGHUP; so are the certificates of the listeners. All of it is checked first: a file with a mistake changes nothing, and the log and \`GET /api/settings\` say what is wrong. Then what differs is taken: nodes that stay keep what was counted and learned of them, requests under way go on.
${RESTART}

\`GET /api/settings\` shows each setting with where it came from, what waits for a restart, and how the last change went. \`PUT /api/settings\` sets what is in the table below, except secrets, settings of providers and what waits for a restart; it is kept in \`dataDir\`. \`GET /api/audit\` lists what was changed.
`;

const LISTS = `The admin token and the keys of providers have no flag, since other users of a machine can read the command lines of its processes.

Weir refuses to start where \`auth.clients\` is \`off\` on an address other than loopback, or where the listener of administrators or of agents is off loopback without TLS, unless \`insecure\` is true.

## nodes

Nodes of the file, of \`WEIR_NODES\` (separated by commas) and of \`--node\` (repeatable) add up; the latter two are written \`URL\` or \`NAME=URL\`. A name twice is an error.

| field | meaning |
| --- | --- |
| \`url\` | Required. http or https; may end in \`/v1\` or lie under a base path. No credentials, no query. |
| \`name\` | Unique, without spaces and slashes. Without one it is made from the URL's host and port. |
| \`engine\` | \`auto\` (recognised by probing) or one of ${engineKinds.map((kind) => `\`${kind}\``).join(', ')}. |
| \`maxConcurrent\` | Slots: requests sent to it at the same time. Without it, what the engine says or its kind's usual number. |
| \`apiKey\` | Sent to the node as a bearer token, or as \`x-api-key\` where the engine is \`anthropic\`. |
| \`headers\` | Sent with every request to the node. |
| \`models\` | A list of names, or a map from the name clients use to the engine's own. Without it, the node's own list. |
| \`timeouts\` | \`connect\`, \`firstByte\`, \`betweenBytes\` for this node. |
| \`tls\` | \`ca\`, \`cert\`, \`key\` (PEM files), \`verify\` (false accepts any certificate). |
| \`tags\` | Groups it belongs to, such as \`[gpu, site-a]\`, for the distribution of models. |
| \`memory\` | What its models may take together, such as \`24gb\`, for distribution to where they fit. Without it, not known. |
| \`logsUrl\` | Where its log can be read as text, for \`GET /api/nodes/{id}/logs\`. The node's key and headers are sent there only if it is the same server. |

## discovery

\`discovery.enabled\` looks at this machine's usual ports, \`discovery.file\` names a file with a list as under \`nodes\` that another program keeps (a file that is wrong, or gone, changes nothing and is reported), and \`discovery.dns\` names services of which every address is a node, such as headless services of Kubernetes.

| field of \`discovery.dns\` | meaning |
| --- | --- |
| \`name\` | Required; a name in DNS, resolved every 30 s. Its nodes are called by name, address and port. |
| \`port\` | Where its engines listen. Without it, host and port are those of the name's SRV records, such as \`_http._tcp.vllm.default.svc.cluster.local\`. |
| \`engine\`, \`maxConcurrent\`, \`apiKey\`, \`headers\`, \`models\`, \`timeouts\`, \`tags\`, \`memory\`, \`logsUrl\` | As of nodes, for all of them. They are asked by http. |

An address that is no longer told goes after a minute; while a name cannot be resolved nothing changes. What is found gives way to a node of the configuration, of the admin API or of an agent with the same address.

## distribution

Models that nodes are to have. A node that joins or comes back, matches, can pull and lacks the model is told to pull it.

| field | meaning |
| --- | --- |
| \`model\` | Required; as the engine's own library calls it, such as \`llama3.2:3b\`. |
| \`tags\` | Nodes with one of these. Every node without it. |

## providers

Cloud providers, by the prefix of a model's name: \`openai:gpt-4o\` goes to \`providers.openai\`, as \`gpt-4o\`; likewise \`anthropic:\` and \`google:\`. Nothing of a provider is read from variables such as \`OPENAI_API_KEY\` unless the file names them.

| field | meaning |
| --- | --- |
| \`apiKey\` | Required, unless \`baseUrl\` is another server's. Sent as the provider wants it; no client sees it, and no client's key goes there. |
| \`baseUrl\` | Another address with the same API. \`openai\` and \`anthropic\` append \`/v1/…\` to it; \`google\` appends paths without \`/v1\`. |
| \`models\` | Shown in lists, with the prefix. Every other model of the provider can be asked for, too. |
| \`maxConcurrent\` | Slots; 64 without it. What does not fit waits as for any node. |
| \`headers\`, \`timeouts\` | As of nodes. |

A provider is a node: counted, queued, cooled after a 429 for its \`Retry-After\`, recorded, drained by the admin API, and named as its prefix is (\`openai\`). Its list of models is asked for every minute with its key, which costs nothing and tells a wrong key, and at most every 5 s where something is amiss. A model of a node of your own whose name begins with the prefix of a configured provider is not offered.

## aliases

| form | meaning |
| --- | --- |
| \`fast: [llama3, "openai:gpt-4o-mini"]\` | In order: the next is tried where the one before has no ready node, is refused for want of room, was waited for for its share of the time, or failed before its answer began. |
| \`mixed: { any: [{ model: llama3, weight: 3 }, qwen3] }\` | Each request goes to one of them, drawn by weight (1 without it); the others, drawn alike, stand in as above. |

The time that a request may wait is shared evenly by those it may still be tried on, and what one leaves over goes to the next. \`wait\` bounds it: \`fast: { order: [llama3, "openai:gpt-4o-mini"], wait: 2s }\` waits for the first for 2 s at most, and with \`0s\` not at all; so does \`wait\` beside \`any\`. Lists show an alias where one of its models is offered. A key may use it if its \`models\` name the alias, or else for those of its models that they name. An alias goes before a model of the same name, and cannot name another alias.

## timeouts.models

Time-outs for one model on every node; those of a node go before them.

| field | meaning |
| --- | --- |
| \`model\` | Required; the name that clients use. |
| \`firstByte\`, \`betweenBytes\` | As under \`timeouts\`; at least one of them. |

## auth.keys

Keys for clients that are declared here rather than made by the admin API. They are kept as SHA-256 only.

| field | meaning |
| --- | --- |
| \`label\` | Required, unique; what people call the key. |
| \`key\` or \`hash\` | One of them: the key itself, best as \`"\${NAME}"\`, or its SHA-256 in hex (\`printf %s KEY \\| sha256sum\`). |
| \`expiresAt\` | \`2030-01-31\` (UTC) or \`2030-01-31T18:00:00Z\`. Never without it. |
| \`models\` | The models and aliases it may use; a name that ends in \`*\` stands for all that begin so, such as \`"openai:*"\`. All without it. |
| \`weight\` | Its share where callers compete. 1 without it. |
| \`maxConcurrent\` | Requests at the same time. No limit without it. |
| \`ratePerMinute\` | Requests per minute. No limit without it. |
| \`maxPriority\` | The most urgent that \`x-weir-priority\` may ask for: \`high\`, \`normal\` (default) or \`low\`. What asks for more is given this. |
| \`maxDeadline\` | The longest that its requests may wait for a slot, whatever their deadline headers say or where they have none. No limit without it. |
| \`mayManage\` | \`true\`: Ollama's commands that change a node (\`/api/pull\`, \`push\`, \`create\`, \`copy\`, \`delete\`) are forwarded for it, where the fleet has exactly one Ollama node. With \`models\` only for these. \`false\` without it. |
| \`resume\` | \`false\`: a stream of its that breaks is never taken up at another node, as with \`x-weir-resume: off\` on every request. \`true\` without it. |
`;
