// The first SIGTERM or SIGINT asks for a drain, a second one ends the process at once. Ctrl-C under `npm start` is sent
// twice for one key press, by the terminal to the whole group and by npm to its child, so a SIGINT that comes within
// half a second of the first is the same one. A stop of a whole group (systemd) doubles SIGTERM likewise, but there
// no hand bounces on a key, and a script's deliberate second one may come soon.

export type StopSignal = 'SIGINT' | 'SIGTERM';

const SAME_STOP_MS = { SIGINT: 500, SIGTERM: 100 } as const;
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

export interface SignalSource {
  on(signal: StopSignal, listener: (signal: StopSignal) => void): unknown;
  on(signal: 'SIGHUP', listener: () => void): unknown;
}

/** Watches both signals; `now` is monotonic milliseconds. */
export function watchSignals(
  source: SignalSource,
  now: () => number,
  stop: (signal: StopSignal) => void,
  exit: (code: number) => void,
): void {
  let first: { readonly signal: StopSignal; readonly at: number } | null = null;
  const listener = (signal: StopSignal): void => {
    if (first === null) {
      first = { signal, at: now() };
      stop(signal);
      return;
    }
    if (signal === first.signal && now() - first.at < SAME_STOP_MS[signal]) return;
    exit(exitCodes[signal]);
  };
  source.on('SIGINT', listener);
  source.on('SIGTERM', listener);
}

/**
 * SIGHUP asks a server to read its configuration anew, and tells a program in a terminal that the terminal was closed. Which of the two it
 * is shows in whether the terminal is still there.
 */
export function watchHangUp(
  source: SignalSource,
  hasLostTerminal: () => boolean,
  reload: () => void,
  stop: () => void,
): void {
  source.on('SIGHUP', () => (hasLostTerminal() ? stop() : reload()));
}
