import { errors, type ErrorRow } from '../../src/fleet/errors.ts';

const faults: Readonly<Record<ErrorRow['fault'], string>> = {
  client: 'the request, or its sender',
  router: 'the router, or the load on it',
  node: 'the nodes',
};

const opening = `# Errors

Everything a client may be told when it does not get its answer. This page is made from \`src/fleet/errors.ts\` by
\`npm run docs\`; change the table there.

The code is in the body, in the form of the API that the client speaks: OpenAI's \`error.code\`, Anthropic's and Ollama's own
shapes with the code beside the message. "May succeed later" says whether sending the same request again makes sense; where it
does and the router knows when, \`Retry-After\` (seconds) and \`retry-after-ms\` say so.
`;

/** The text of docs/errors.md: one section per row of the table, in its order. */
export function errorsPage(): string {
  const sections = Object.entries(errors).map(([code, row]) =>
    [
      `## ${code}`,
      '',
      row.message,
      '',
      `- status ${row.status}, type \`${row.type}\``,
      `- whose doing: ${faults[row.fault]}`,
      `- may succeed later: ${row.retryable ? 'yes' : 'no'}`,
      '',
    ].join('\n'),
  );
  return [opening, ...sections].join('\n');
}
