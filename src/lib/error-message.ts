// Where engines put the sentence that a person should read. OpenAI, vLLM, SGLang, llama.cpp and Anthropic: `error.message`;
// Ollama: `error` as a string; older vLLM: `message` beside `object: "error"`; FastAPI: `detail`, a string or a list of
// `{loc, msg}`; Google: any of it as the only element of a list.

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Object.getOwnPropertyDescriptor(value, name)?.value;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function validationMessage(detail: unknown): string | null {
  if (!Array.isArray(detail)) return null;
  const parts: string[] = [];
  for (const entry of detail.slice(0, 5)) {
    const message = text(field(entry, 'msg'));
    if (!message) continue;
    const where = field(entry, 'loc');
    parts.push(Array.isArray(where) ? `${where.map(String).join('.')}: ${message}` : message);
  }
  return parts.length > 0 ? parts.join('; ') : null;
}

/** The human message of a parsed error body, or null where none of the known shapes fits. */
export function errorMessageOf(body: unknown): string | null {
  const value: unknown = Array.isArray(body) ? body[0] : body;
  const error = field(value, 'error');
  const detail = field(value, 'detail');
  return (
    text(value) ??
    text(field(error, 'message')) ??
    text(error) ??
    text(field(value, 'message')) ??
    text(detail) ??
    text(field(detail, 'message')) ??
    validationMessage(detail) ??
    text(field(field(error, 'error'), 'message'))
  );
}
