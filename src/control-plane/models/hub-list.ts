import { field, listField, numberField, textField } from '../json.ts';

/** A model as a hub lists it; null where it does not say. */
export interface CatalogueModel {
  /** `owner/name`. */
  readonly id: string;
  readonly author: string | null;
  readonly downloads: number | null;
  readonly likes: number | null;
  /** Such as `text-generation`. */
  readonly task: string | null;
  /** Such as `transformers` or `gguf`. */
  readonly library: string | null;
  readonly tags: readonly string[];
  /** It is given only to those who accepted its terms. */
  readonly gated: boolean;
  /** Epoch ms. */
  readonly updatedAt: number | null;
  /** What to tell an Ollama to pull; null where it cannot run it. */
  readonly pullName: string | null;
}

/** The models of an answer to `/api/models`; null where it is none. */
export function readHubList(json: unknown): readonly CatalogueModel[] | null {
  if (!Array.isArray(json)) return null;
  return json.flatMap((entry: unknown) => {
    const id = textField(entry, 'id') ?? textField(entry, 'modelId');
    if (id === null) return [];
    const tags = (listField(entry, 'tags') ?? []).filter((tag) => typeof tag === 'string');
    const library = textField(entry, 'library_name');
    const updated = Date.parse(textField(entry, 'lastModified') ?? textField(entry, 'createdAt') ?? '');
    const gated = field(entry, 'gated');
    return {
      id,
      author: textField(entry, 'author') ?? (id.includes('/') ? (id.split('/')[0] ?? null) : null),
      downloads: numberField(entry, 'downloads'),
      likes: numberField(entry, 'likes'),
      task: textField(entry, 'pipeline_tag'),
      library,
      tags: tags.slice(0, 50),
      gated: gated !== undefined && gated !== false,
      updatedAt: Number.isNaN(updated) ? null : updated,
      pullName: library === 'gguf' || tags.includes('gguf') ? `hf.co/${id}` : null,
    };
  });
}
