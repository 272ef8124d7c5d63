import type { Host } from '../commands/admin-command.ts';

// A picture that is redrawn in place, on the terminal's other screen, so that what was there before comes back at the end. Keys are read
// one by one meanwhile; in that mode Ctrl-C is a key like any other.

export interface Picture {
  show(lines: readonly string[]): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

const OTHER_SCREEN = '\u001b[?1049h';
const FORMER_SCREEN = '\u001b[?1049l';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const HOME = '\u001b[H';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const quitKeys = new Set(['q', 'Q', '\u0003', '\u0004']);

/** Takes the terminal over until `close`; `quit` is called when somebody presses q or Ctrl-C. */
export function pictureOn({ stdout, terminal }: Host, quit: () => void): Picture {
  const forget = terminal.onKey((key) => {
    if (quitKeys.has(key)) quit();
  });
  stdout(OTHER_SCREEN + HIDE_CURSOR);
  return {
    show: (lines) => stdout(`${HOME}${lines.map((line) => line + CLEAR_LINE).join('\r\n')}${CLEAR_BELOW}`),
    close: () => {
      forget();
      stdout(SHOW_CURSOR + FORMER_SCREEN);
    },
  };
}
