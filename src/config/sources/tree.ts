// A configuration file as plain values that know their line. Readers of entries and the table walk this and never see
// the YAML library.

export type Tree = ScalarTree | ListTree | SectionTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly line: number;
  /** The characters as written, without quotes, with variables filled in; null where nothing is written. */
  readonly value: string | null;
  /** True where the value could not be read and a problem says so already: say nothing more. */
  readonly isBroken?: true;
}

export interface ListTree {
  readonly kind: 'list';
  readonly line: number;
  readonly items: readonly Tree[];
}

export interface SectionTree {
  readonly kind: 'section';
  readonly line: number;
  readonly entries: ReadonlyMap<string, { readonly line: number; readonly tree: Tree }>;
}

export interface SourceFile {
  /** As shown in messages. */
  readonly name: string;
  /** Absolute; relative paths in the file start here. */
  readonly directory: string;
  readonly root: SectionTree;
}
