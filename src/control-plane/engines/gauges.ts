// Reads gauges out of Prometheus' text format: just enough of it for a few numbers of an engine. Values of one name under
// several labels (vLLM: one per model and engine core) are added up, or the largest is taken where they are shares.

export type Gauges = ReadonlyMap<string, readonly number[]>;

/** All values by metric name, labels ignored. */
export function readGauges(text: string): Gauges {
  const found = new Map<string, number[]>();
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{.*\})?\s+([^\s]+)/.exec(line);
    const [, name, written] = match ?? [];
    if (name === undefined || written === undefined) continue;
    const value = Number(written);
    if (!Number.isFinite(value)) continue;
    const values = found.get(name);
    if (values) values.push(value);
    else found.set(name, [value]);
  }
  return found;
}

/** The sum over all labels of the first of these names that is there; null if none is. */
export function total(gauges: Gauges, ...names: readonly string[]): number | null {
  const values = firstOf(gauges, names);
  return values ? values.reduce((sum, value) => sum + value, 0) : null;
}

/** The largest over all labels of the first of these names that is there, held within 0 to 1; null if none is. */
export function largestShare(gauges: Gauges, ...names: readonly string[]): number | null {
  const values = firstOf(gauges, names);
  return values ? Math.min(1, Math.max(0, ...values)) : null;
}

function firstOf(gauges: Gauges, names: readonly string[]): readonly number[] | undefined {
  for (const name of names) {
    const values = gauges.get(name);
    if (values) return values;
  }
  return undefined;
}
