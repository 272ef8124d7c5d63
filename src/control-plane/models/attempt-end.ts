export interface Progress {
  readonly detail: string;
  readonly completedBytes: number | null;
  readonly totalBytes: number | null;
}

/** How one attempt ended. `again`: another may succeed; `failed`: none will. */
export type AttemptEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'again'; readonly detail: string }
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string };
