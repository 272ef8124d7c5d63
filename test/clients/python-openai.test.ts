import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findClient } from '../../tools/clients/find.ts';
import { fetched } from '../../tools/clients/pins.ts';
import { at } from '../support/json-path.ts';
import { clients } from './clients.ts';
import { type Ask, holdToRouter, readLoad } from './hold.ts';

const found = findClient(fetched.pythonOpenai);

/** What the client itself threw. */
class ThrownInPython extends Error {
  readonly status: number | null;

  constructor(message: string, status: number | null) {
    super(message);
    this.status = status;
  }
}

/** Asks in a process of its own. What it says line by line is yielded, and what `next` is given is told to it; its last word is returned. */
async function* converse(how: string, ask: Ask): AsyncGenerator<unknown, string, unknown> {
  if ('absent' in found) throw new Error(found.absent);
  const script = join(import.meta.dirname, 'openai_client.py');
  const child = spawn(found.program, [script], { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
  const tell = (value: unknown): void => void child.stdin.write(`${JSON.stringify(value)}\n`);
  try {
    tell({ how, tool: readLoad, ...ask });
    for await (const line of createInterface({ input: child.stdout })) {
      const said: unknown = JSON.parse(line);
      const answer = at(said, 'answer');
      if (typeof answer === 'string') return answer;
      const message = at(said, 'message');
      const status = at(said, 'status');
      if (typeof message === 'string') throw new ThrownInPython(message, typeof status === 'number' ? status : null);
      tell(yield said);
    }
    throw new Error('Python ended without a last word');
  } finally {
    child.kill('SIGKILL');
  }
}

async function lastWord(
  talk: AsyncGenerator<unknown, string, unknown>,
  reply: (said: unknown) => unknown,
): Promise<string> {
  let turn = await talk.next();
  while (!turn.done) turn = await talk.next(reply(turn.value));
  return turn.value;
}

holdToRouter(
  clients.pythonOpenai,
  {
    chat: (ask) => lastWord(converse('chat', ask), () => null),
    stream: async function* (ask, signal) {
      const talk = converse('stream', ask);
      try {
        for (let turn = await talk.next(); !turn.done; turn = await talk.next('on'))
          yield String(at(turn.value, 'piece'));
      } finally {
        if (signal.aborted) await talk.next('leave');
        await talk.return('');
      }
    },
    useTool: (ask, run) => lastWord(converse('tool', ask), (said) => run(at(said, 'call'))),
    told: (error) => {
      if (!(error instanceof ThrownInPython)) throw error;
      return { status: error.status, message: error.message };
    },
  },
  'absent' in found ? found.absent : null,
);
