// Takes secrets out of log lines before an administrator's screen, a ticket or a chat room sees them. Two ways, since neither is
// enough alone: the secrets this router itself was given are replaced wherever they stand, and what looks like a secret is
// replaced by its form. The router's own lines hold none by design; those of an engine, or a proxy before it, may.
// It does not find a secret that looks like an ordinary word, nor one that is split over two lines.

const MASK = '***';
/** A shorter one would be found inside ordinary words. */
const SHORTEST_SECRET = 6;

const forms: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${MASK}`],
  [/:\/\/[^/\s"'@]+@/g, `://${MASK}@`],
  [/\b(?:sk|pk|rk|hf|gsk|xai|ghp|gho|glpat|weir|lms)[-_][\w-]{12,}/g, MASK],
  [/\bAIza[\w-]{30,}/g, MASK],
  [/\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g, MASK],
  [
    /\b((?:[\w-]*[_-])?(?:api[_-]?key|access[_-]?key|auth[_-]?token|token|password|passwd|secret|authorization|cookie))(["']?\s*[:=]\s*["']?)(?!\*{3})[^\s"',;&\\{}[\]]{8,}/gi,
    `$1$2${MASK}`,
  ],
];

/** The function that scrubs a text; `secrets` is asked each time, since nodes come and go. */
export function scrubber(secrets: () => readonly string[]): (text: string) => string {
  return (text) => {
    let scrubbed = text;
    for (const secret of secrets()) {
      if (secret.length >= SHORTEST_SECRET) scrubbed = scrubbed.replaceAll(secret, MASK);
    }
    for (const [form, mask] of forms) scrubbed = scrubbed.replace(form, mask);
    return scrubbed;
  };
}
