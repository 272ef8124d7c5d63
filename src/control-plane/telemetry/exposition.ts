// Prometheus' text format (version 0.0.4), written here and not by a client library: what a library does for each thing it counts costs
// more than everything else that is done with a settlement on this thread, while the format itself is a page long.

/** The content type of a page. */
export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [value: number, labels?: Labels];

/** One metric with its samples, ready for a page; counters are those whose name ends so. */
export function exposed(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([value, labels]) => sampleLine(name, labels ?? {}, value));
  return heading(name, help, name.endsWith('_total') ? 'counter' : 'gauge') + lines.join('');
}

/** Counts by upper bound. Values beyond the last bound count only in the total. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #total = 0;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(value: number): void {
    this.#total += 1;
    this.#sum += value;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    if (at >= 0) this.#counts[at] = (this.#counts[at] ?? 0) + 1;
  }

  lines(name: string, labels: Labels): string {
    if (this.#total === 0) return '';
    let below = 0;
    const buckets = this.#bounds.map((bound, at) => {
      below += this.#counts[at] ?? 0;
      return sampleLine(`${name}_bucket`, { le: String(bound), ...labels }, below);
    });
    return (
      buckets.join('') +
      sampleLine(`${name}_bucket`, { le: '+Inf', ...labels }, this.#total) +
      sampleLine(`${name}_sum`, labels, this.#sum) +
      sampleLine(`${name}_count`, labels, this.#total)
    );
  }
}

export function exposedHistograms(name: string, help: string, by: readonly (readonly [Histogram, Labels])[]): string {
  return heading(name, help, 'histogram') + by.map(([histogram, labels]) => histogram.lines(name, labels)).join('');
}

function heading(name: string, help: string, type: 'counter' | 'gauge' | 'histogram'): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function sampleLine(name: string, labels: Labels, value: number): string {
  const written = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${written.length > 0 ? `{${written.join(',')}}` : ''} ${value}\n`;
}

function escaped(text: string): string {
  return text
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('"', String.raw`\"`);
}
