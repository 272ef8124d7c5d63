import { type Faults, isJson, isUnset, listOf, refuseOthers, textField, textOf } from './ollama-fields.ts';
import { leftOut } from './ollama-options.ts';
import type { AnswerTranslation, Json, Translator } from './translation.ts';

// Ollama's two ways to ask for embeddings: of one text or several, and the older one, of one. Options are how a model is loaded and how
// text is generated, neither of which matters here. The newer endpoint gives vectors the length 1, as Ollama does, since clients
// compare them by their products alone; most engines give them that length by themselves, and then they stay as they came.

const known: ReadonlySet<string> = new Set(['model', 'input', 'dimensions', 'options', ...leftOut]);
const knownOfOlder: ReadonlySet<string> = new Set(['model', 'prompt', 'options', ...leftOut]);

/** What a vector's length is off by, written with seven digits. */
const ROUNDING = 1e-4;

/** `/api/embed`: a text or several, each answered by a vector. */
export const ollamaEmbedToEmbeddings: Translator = {
  from: '/api/embed',
  to: '/v1/embeddings',
  translate(call) {
    const faults: Faults = [];
    refuseOthers(call, known, faults);
    const { input, dimensions } = call;
    const isTexts = typeof input === 'string' || listOf(input).every((text) => typeof text === 'string');
    if (isUnset(input) || !(isTexts && (typeof input === 'string' || Array.isArray(input)))) {
      faults.push({ field: 'input', message: 'input must be a text or a list of texts, and not empty.' });
    }
    const [fault] = faults;
    if (fault) return fault;
    const model = textOf(call['model']);
    return {
      call: { model, input, ...(isUnset(dimensions) ? {} : { dimensions }) },
      answer: () =>
        wholeOnly((vectors, answer) => ({
          model,
          embeddings: vectors.map(ofLengthOne),
          total_duration: 0,
          load_duration: 0,
          prompt_eval_count: isJson(answer['usage']) ? (answer['usage']['prompt_tokens'] ?? 0) : 0,
        })),
    };
  },
};

/** `/api/embeddings`, the older one: one text. */
export const ollamaEmbeddingsToEmbeddings: Translator = {
  from: '/api/embeddings',
  to: '/v1/embeddings',
  translate(call) {
    const faults: Faults = [];
    refuseOthers(call, knownOfOlder, faults);
    const prompt = textField(call, 'prompt', faults);
    if (prompt === '') faults.push({ field: 'prompt', message: 'prompt must be a text, and not empty.' });
    const [fault] = faults;
    if (fault) return fault;
    return {
      call: { model: textOf(call['model']), input: prompt },
      answer: () => wholeOnly(([embedding]) => (embedding ? { embedding } : null)),
    };
  },
};

/** Embeddings are never streamed. */
function wholeOnly(tell: (vectors: readonly (readonly unknown[])[], answer: Json) => Json | null): AnswerTranslation {
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
function vectorsIn({ data }: Json): (readonly unknown[])[] | null {
  if (!Array.isArray(data)) return null;
  const vectors: { readonly index: number; readonly vector: readonly unknown[] }[] = [];
  for (const [position, one] of data.entries()) {
    if (!isJson(one) || !Array.isArray(one['embedding'])) return null;
    vectors.push({ index: typeof one['index'] === 'number' ? one['index'] : position, vector: one['embedding'] });
  }
  return vectors.toSorted((a, b) => a.index - b.index).map(({ vector }) => vector);
}

/** As it came where its length is 1 already, or none that can be changed. */
function ofLengthOne(vector: readonly unknown[]): readonly unknown[] {
  const length = Math.sqrt(vector.reduce((sum: number, part) => sum + Number(part) ** 2, 0));
  const isScalable = Number.isFinite(length) && length > 0 && Math.abs(length - 1) > ROUNDING;
  return isScalable ? vector.map((part) => Number(part) / length) : vector;
}
