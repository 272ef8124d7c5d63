import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '../lib/clock.ts';

// Tells when files have other contents than before. The directories are watched and not the files: an editor that saves by renaming, and
// Kubernetes, which swaps a symlink beside a ConfigMap's files, leave a watch of the file itself at the one that is gone. An event
// is only a reason to look, since what counts is the content. Some changes bring none (network file systems, a symlink
// further up), so it is looked now and then in any case.

/**
 * From an event to the look: whoever writes a file in several steps is given time to finish. Further events do not put it off, since a
 * directory in which something else is written all the time would never be looked at.
 */
const SETTLED_MS = 200;
const LOOK_EVERY_MS = 10_000;

export class FileWatch {
  readonly #clock: Clock;
  readonly #files: () => readonly string[];
  readonly #onChange: () => void;
  #watchers = new Map<string, FSWatcher>();
  #contents = new Map<string, string>();
  #cancel: () => void = () => undefined;
  /** An event has come since the last look began. */
  #isUrgent = false;
  #isLooking = false;
  #isStopped = false;

  /** `files`: absolute paths, asked for anew at each look. What they hold at the first look is no change. */
  constructor(clock: Clock, files: () => readonly string[], onChange: () => void) {
    this.#clock = clock;
    this.#files = files;
    this.#onChange = onChange;
  }

  /** Resolves once every later change will be told. */
  async start(): Promise<void> {
    await this.#watchDirectories();
    for (const file of this.#files()) this.#contents.set(file, await digest(file));
    this.#lookLater();
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel();
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #stir(): void {
    if (this.#isUrgent) return;
    this.#isUrgent = true;
    if (!this.#isLooking) this.#lookLater();
  }

  #lookLater(): void {
    this.#cancel();
    if (this.#isStopped) return;
    this.#cancel = this.#clock.after(this.#isUrgent ? SETTLED_MS : LOOK_EVERY_MS, () => void this.look());
  }

  /** Looks now. */
  async look(): Promise<void> {
    // First, so that what changes meanwhile brings another look.
    this.#isUrgent = false;
    this.#isLooking = true;
    await this.#watchDirectories();
    const before = this.#contents;
    const now = new Map<string, string>();
    for (const file of this.#files()) now.set(file, await digest(file));
    if (this.#isStopped) return;
    this.#contents = now;
    this.#isLooking = false;
    this.#lookLater();
    // A file that was not watched before has been read by whoever named it.
    if ([...now].some(([file, content]) => (before.get(file) ?? content) !== content)) this.#onChange();
  }

  async #watchDirectories(): Promise<void> {
    const wanted = new Set<string>();
    for (const file of this.#files()) {
      wanted.add(dirname(file));
      const target = await realpath(file).catch(() => file);
      wanted.add(dirname(target));
    }
    if (this.#isStopped) return;
    for (const [directory, watcher] of this.#watchers) {
      if (wanted.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of wanted) if (!this.#watchers.has(directory)) this.#watchDirectory(directory);
  }

  #watchDirectory(directory: string): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#stir());
      const forget = (): void => {
        watcher.close();
        this.#watchers.delete(directory);
      };
      watcher.on('error', forget);
      this.#watchers.set(directory, watcher);
    } catch {
      // Not there, or the system has no watches left: the look every 10 s finds changes all the same.
    }
  }
}

/** Of a file's content; empty where it cannot be read. */
async function digest(file: string): Promise<string> {
  try {
    return createHash('sha256')
      .update(await readFile(file))
      .digest('base64');
  } catch {
    return '';
  }
}
