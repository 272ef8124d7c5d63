import { hash } from 'node:crypto';
import { listedModels } from '../../fleet/offered-models.ts';
import type { FleetSnapshot, ModelSnapshot } from '../../fleet/snapshot.ts';

// Ollama's lists, built from the snapshot as one big Ollama's: nodes are never asked, so that nothing of theirs can leak. What the
// fleet does not know is empty or 0, in the types that Ollama's own clients parse. A digest that no engine tells is made from the
// name, since clients cut it to 12 characters without looking. `/api/ps` lists what a node is ready to serve now; whether an
// Ollama node holds it in memory already is not known here.

/** The release of Ollama whose endpoints these are; clients look whether it is new enough for them. */
export const OLLAMA_VERSION = '0.14.0';

type MayUse = (name: string) => boolean;

/** `/api/tags`: every model that the fleet offers, by name. */
export function listTags(snapshot: FleetSnapshot, mayUse: MayUse): { models: object[] } {
  return {
    models: namesOf(snapshot, mayUse, () => true).map(({ model, tag }) =>
      Object.assign(entry(model, tag), { modified_at: seenAt(model) }),
    ),
  };
}

/** `/api/ps`: every model that a node is ready to serve. `now` is epoch ms. */
export function listRunning(snapshot: FleetSnapshot, mayUse: MayUse, now: number): { models: object[] } {
  const isReady = ({ offers }: ModelSnapshot): boolean =>
    offers.some(
      ({ node, ready }) => ready && snapshot.nodes[node]?.state === 'ready' && !snapshot.nodes[node]?.draining,
    );
  const expiresAt = new Date(now + KEPT_MS).toISOString();
  const models = namesOf(snapshot, mayUse, isReady);
  return {
    models: models.map(({ model, tag }) => Object.assign(entry(model, tag), { expires_at: expiresAt, size_vram: 0 })),
  };
}

/** Ollama's own default for keeping a model in memory. */
const KEPT_MS = 5 * 60_000;

interface Named {
  readonly model: ModelSnapshot;
  readonly tag: string;
}

function namesOf(snapshot: FleetSnapshot, mayUse: MayUse, isListed: (model: ModelSnapshot) => boolean): Named[] {
  return listedModels(snapshot)
    .filter((model) => mayUse(model.name) && isListed(model))
    .map((model) => ({ model, tag: taggedName(model.name) }))
    .toSorted((a, b) => (a.tag < b.tag ? -1 : 1));
}

function entry({ name, files }: ModelSnapshot, tag: string): object {
  const told = files?.digest?.replace(/^sha256:/, '') ?? '';
  const digest = DIGEST.test(told) ? told : hash('sha256', name, 'hex');
  return { name: tag, model: tag, size: files?.sizeBytes ?? 0, digest, details: detailsOf(files) };
}

/** What is known of a model's files, as Ollama tells it. */
export function detailsOf(files: ModelSnapshot['files']): object {
  return { ...unknownDetails, quantization_level: files?.quantization ?? '' };
}

const DIGEST = /^[0-9a-f]{64}$/;

/** Of a model of which nothing is known but its name. */
const unknownDetails = {
  parent_model: '',
  format: '',
  family: '',
  families: [],
  parameter_size: '',
  quantization_level: '',
};

/** A name as Ollama lists it: with a tag, `latest` where it has none. A colon before a slash is a registry's port. */
function taggedName(name: string): string {
  return name.includes(':', name.lastIndexOf('/') + 1) ? name : `${name}:latest`;
}

function seenAt({ firstSeenAt }: ModelSnapshot): string {
  return new Date(firstSeenAt).toISOString();
}
