// Who may import whom (CONTRIBUTING.md, "Rooms"). The two planes never import each other, and rooms do not import rooms:
// only the files that compose them do, so that a room can be read, tested and replaced alone. Lint has no rule that
// speaks of folders relative to the importing file, hence this small checker. It reads import specifiers by pattern, not
// by parsing: a computed specifier, `import(name)`, would escape it, and type-aware lint would not catch that either.
// What concerns globals and packages (`fetch`, `undici`, `process.env`) is in .oxlintrc.json.

export interface SourceFile {
  /** From the root of the checkout, with `/`. */
  readonly path: string;
  readonly text: string;
}

const shared = ['fleet', 'http-client', 'lib'];

/** Folders whose every file composes: anything in src/ may be imported there. */
const composing = new Set(['', 'cli']);

/** What a folder that is no plane may import besides itself. */
const halls = new Map<string, readonly string[]>([
  ['lib', []],
  ['fleet', ['lib']],
  ['http-client', ['fleet', 'lib']],
  ['config', ['fleet', 'lib']],
  ['tunnel', ['lib']],
  ['agent-listener', ['fleet', 'lib', 'tunnel']],
  ['agent', ['fleet', 'http-client', 'lib', 'tunnel']],
]);

interface Plane {
  readonly rooms: ReadonlySet<string>;
  /** Rooms that compose the others. */
  readonly composingRooms: ReadonlySet<string>;
  readonly exceptions: readonly { readonly from: string; readonly to: string; readonly typesOnly: boolean }[];
}

const planes = new Map<string, Plane>([
  [
    'data-plane',
    {
      rooms: new Set(['http', 'auth', 'api', 'translate', 'dispatcher', 'balancer', 'attempt', 'relay', 'threads']),
      composingRooms: new Set(),
      exceptions: [
        // Picking a node and counting it is one synchronous step, so the brain holds both.
        { from: 'dispatcher', to: 'balancer', typesOnly: false },
        // It carries the dispatcher's and the callers' words between threads.
        { from: 'threads', to: 'dispatcher', typesOnly: true },
        { from: 'threads', to: 'auth', typesOnly: false },
        { from: 'attempt', to: 'api', typesOnly: true },
        { from: 'relay', to: 'api', typesOnly: true },
        { from: 'relay', to: 'translate', typesOnly: true },
        { from: 'http', to: 'api', typesOnly: true },
      ],
    },
  ],
  [
    'control-plane',
    {
      rooms: new Set(['nodes', 'agents', 'engines', 'models', 'api', 'store', 'telemetry']),
      composingRooms: new Set(['api']),
      exceptions: [],
    },
  ],
]);

interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly isType: boolean;
}

const importPattern =
  /^[ \t]*(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'|^[ \t]*import\s+'([^']+)'|\bimport\('([^']+)'\)|\bnew URL\('([^']+\.ts)'/gm;

function importsOf(text: string): Import[] {
  return Array.from(text.matchAll(importPattern), (match) => ({
    specifier: match[2] ?? match[3] ?? match[4] ?? match[5] ?? '',
    line: text.slice(0, match.index).split('\n').length,
    isType: match[1] !== undefined,
  }));
}

/** `src/data-plane/relay/sse.ts` → ['data-plane', 'relay']; a file directly in src/ has no folders. */
function foldersOf(path: string): string[] {
  return path.split('/').slice(1, -1);
}

function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

/** Why `from` may not import `to`, or null where it may. Both are paths from the root. */
function objection(from: string, to: string, isShareable: boolean, isType: boolean): string | null {
  if (!to.startsWith('src/')) return 'the product imports nothing from outside src/';
  const [hall = '', room = ''] = foldersOf(from);
  const [toHall = '', toRoom = ''] = foldersOf(to);
  if (composing.has(hall)) return null;
  const plane = planes.get(hall);
  if (!plane) {
    const allowed = halls.get(hall);
    if (!allowed) return `src/${hall}/ has no rule yet; add one to tools/quality/boundaries.ts`;
    if (toHall === hall || allowed.includes(toHall)) return null;
    return `${hall}/ may import only ${[hall, ...allowed].map((name) => `${name}/`).join(', ')}`;
  }
  if (toHall !== hall) {
    if (shared.includes(toHall)) return null;
    return `${hall}/ may import only itself and ${shared.map((name) => `${name}/`).join(', ')}`;
  }
  if (room === '' || room === toRoom || plane.composingRooms.has(room)) return null;
  if (!plane.rooms.has(room)) return `src/${hall}/${room}/ has no rule yet; add one to tools/quality/boundaries.ts`;
  if (toRoom === '')
    return isShareable || isType ? null : 'a room may import only types from the files that compose it';
  const exception = plane.exceptions.find((one) => one.from === room && one.to === toRoom);
  if (!exception) return `rooms do not import rooms (${room} → ${toRoom}); compose them in ${hall}/*.ts`;
  if (exception.typesOnly && !isType) return `${room}/ may import only types from ${toRoom}/ (import type)`;
  return null;
}

/** True for a file that imports no room: words that several rooms of a plane share (what a probe tells) lie beside its composing files. */
function isVocabulary({ path, text }: SourceFile): boolean {
  return importsOf(text).every(({ specifier }) => {
    const [hall = ''] = specifier.startsWith('.') ? foldersOf(resolve(path, specifier)) : ['lib'];
    return halls.has(hall);
  });
}

/** The way round an import, which lint does not see. */
const builtinPattern = /getBuiltinModule\('node:https?'/;
const builtinAllowedIn = 'src/lib/node-http.ts';

/** One line per forbidden import, `path:line: why`. Tests may import what they like. */
export function findBoundaryViolations(files: readonly SourceFile[]): string[] {
  const found: string[] = [];
  const vocabulary = new Set(files.filter(isVocabulary).map(({ path }) => path));
  for (const { path, text } of files) {
    if (!path.startsWith('src/') || path.endsWith('.test.ts')) continue;
    if (path !== builtinAllowedIn && builtinPattern.test(text)) {
      found.push(`${path}: takes node:http by getBuiltinModule; only ${builtinAllowedIn} may`);
    }
    for (const { specifier, line, isType } of importsOf(text)) {
      if (!specifier.startsWith('.')) continue;
      const to = resolve(path, specifier);
      const why = objection(path, to, vocabulary.has(to), isType);
      if (why !== null) found.push(`${path}:${line}: imports ${specifier}: ${why}`);
    }
  }
  return found;
}
