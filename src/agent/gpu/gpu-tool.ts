import type { Gpu } from '../../fleet/agent-words.ts';

/** A program that tells of a machine's GPUs. */
export interface GpuTool {
  readonly command: string;
  readonly args: readonly string[];
  /** From what it prints; empty where that says nothing of GPUs. Never throws. */
  readonly read: (text: string) => readonly Gpu[];
}

/** JSON as an object; empty where it is none. */
export function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return fieldsOf(JSON.parse(text));
  } catch {
    return {};
  }
}

export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
