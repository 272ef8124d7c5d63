import { countOf, drafted, type FieldRule, type FieldRules, ignored, objectOf, passes, textOf } from '../rules.ts';
import type { AnswerTranslation, Json, Translation, Translator, Untranslatable } from '../translation.ts';

// Ollama's two ways to ask for embeddings: of one text or several, and the older one, of one. Options are how a model is loaded and how
// text is generated, neither of which matters here. The newer endpoint gives vectors the length 1, as Ollama does, since clients
// compare them by their products alone; most engines give them that length by themselves, and then they stay as they came.

const TO = '/v1/embeddings';

/** What a vector's length is off by, written with seven digits. */
const ROUNDING = 1e-4;

const settings: FieldRules = {
  model: passes,
  options: ignored,
  keep_alive: ignored,
  truncate: ignored,
  shift: ignored,
};

const texts: FieldRule = (value, field, { call, objections }) => {
  const isTexts = Array.isArray(value) && value.every((text) => typeof text === 'string');
  if (isTexts || typeof value === 'string') call['input'] = value;
  else objections.malformed(field, 'a string or a list of strings');
};

const text: FieldRule = (value, field, { call, objections }) => {
  if (typeof value === 'string') call['input'] = value;
  else objections.malformed(field, 'a string');
};

/** `/api/embed`: a text or several, each answered by a vector. */
export const ollamaEmbedToEmbeddings: Translator = {
  from: '/api/embed',
  to: TO,
  translate: (asked) => {
    const model = textOf(asked['model']);
    return embedding(
      asked,
      '/api/embed',
      'input',
      { ...settings, input: texts, dimensions: passes },
      (vectors, answer) => ({
        model,
        embeddings: vectors.map(ofLengthOne),
        total_duration: 0,
        load_duration: 0,
        prompt_eval_count: countOf(objectOf(answer['usage'])?.['prompt_tokens']) ?? 0,
      }),
    );
  },
};

/** `/api/embeddings`, the older one: one text. */
export const ollamaEmbeddingsToEmbeddings: Translator = {
  from: '/api/embeddings',
  to: TO,
  translate: (asked) =>
    embedding(asked, '/api/embeddings', 'prompt', { ...settings, prompt: text }, ([vector]) =>
      vector ? { embedding: vector } : null,
    ),
};

type Vectors = readonly (readonly unknown[])[];

/** `prompt` is the field that holds what is embedded, without which there is nothing to do. */
function embedding(
  asked: Json,
  from: string,
  prompt: string,
  rules: FieldRules,
  tell: (vectors: Vectors, answer: Json) => Json | null,
): Translation | Untranslatable {
  const { call, objections } = drafted(asked, rules, from, TO);
  if (!('input' in call)) objections.malformed(prompt, 'given, and not empty');
  return objections.first ?? { call, answer: () => wholeOnly(tell) };
}

/** Embeddings are never streamed. */
function wholeOnly(tell: (vectors: Vectors, answer: Json) => Json | null): AnswerTranslation {
  return {
    whole: (answer) => {
      const vectors = vectorsIn(answer);
      return vectors && tell(vectors, answer);
    },
    event: () => [],
    end: () => [],
  };
}

/** The vectors in the order of the texts; null where one is none. */
function vectorsIn({ data }: Json): Vectors | null {
  if (!Array.isArray(data)) return null;
  const vectors: { readonly index: number; readonly vector: readonly unknown[] }[] = [];
  for (const [position, item] of data.entries()) {
    const { index, embedding: vector } = objectOf(item) ?? {};
    if (!Array.isArray(vector)) return null;
    vectors.push({ index: typeof index === 'number' ? index : position, vector });
  }
  return vectors.toSorted((a, b) => a.index - b.index).map(({ vector }) => vector);
}

/** As it came where its length is 1 already, or none that can be changed. */
function ofLengthOne(vector: readonly unknown[]): readonly unknown[] {
  const length = Math.sqrt(vector.reduce((sum: number, part) => sum + Number(part) ** 2, 0));
  const isScalable = Number.isFinite(length) && length > 0 && Math.abs(length - 1) > ROUNDING;
  return isScalable ? vector.map((part) => Number(part) / length) : vector;
}
