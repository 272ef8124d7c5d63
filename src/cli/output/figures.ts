// Numbers as people read them, short enough for a column.

/** `850ms`, `12.3s`, `4m05s`, `2h10m`, `3d04h`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  const seconds = ms / 1000;
  if (seconds < 99.95) return `${seconds.toFixed(1)}s`;
  const parts: readonly (readonly [number, string, number, string])[] = [
    [86_400, 'd', 3600, 'h'],
    [3600, 'h', 60, 'm'],
    [60, 'm', 1, 's'],
  ];
  const whole = Math.round(seconds);
  for (const [size, unit, below, belowUnit] of parts) {
    if (whole < size) continue;
    const rest = Math.floor((whole % size) / below);
    return `${Math.floor(whole / size)}${unit}${String(rest).padStart(2, '0')}${belowUnit}`;
  }
  return `${whole}s`;
}

/** `512 B`, `1.5 GB`, counted in 1024. */
export function bytes(amount: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  const step = amount < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(amount) / 10));
  const value = amount / 1024 ** step;
  return `${step === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[step]}`;
}

/** `950`, `12.3k`, `4.5M`. */
export function count(value: number): string {
  if (value < 10_000) return String(Math.round(value));
  return value < 999_950 ? `${(value / 1000).toFixed(1)}k` : `${(value / 1e6).toFixed(1)}M`;
}

/** Per second: two digits that matter. */
export function rate(value: number): string {
  return value > 0 && value < 9.95 ? value.toFixed(1) : count(value);
}

/** `2027-01-31 18:04:05`, UTC so that logs of several machines can be laid beside it. */
export function time(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}
