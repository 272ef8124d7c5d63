import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { AgentReply } from '../fleet/agent-messages.ts';
import { systemClock } from '../lib/clock.ts';
import { authority } from '../lib/listening.ts';
import { UnusableTls } from '../lib/tls-files.ts';
import { refusal, startAgentServer } from './agent-server.ts';
import type { FromListenerThread, ListenerStart, ToListenerThread } from './messages.ts';
import { Tunnels } from './tunnels.ts';

// The composition root of the thread of agents: its listener and the tunnels, which carry requests and so have a thread of their own,
// apart from the one that relays them and from the control plane, whose death they outlive.

const ANSWER_WITHIN_MS = 15_000;

const given: ListenerStart = workerData;
if (!parentPort) throw new Error('The listener of agents is started by agent-listener-host.ts.');
await startListenerThread(given, parentPort);

async function startListenerThread({ listen, tls, dataDir }: ListenerStart, main: MessagePort): Promise<void> {
  const clock = systemClock;
  const send = (message: FromListenerThread): void => main.postMessage(message);
  const waiting = new Map<number, (reply: AgentReply) => void>();
  let question = 0;
  const tunnels = new Tunnels({
    dataDir,
    clock,
    onChange: (nodeId, isOpen) => send({ kind: 'told', told: { kind: 'tunnel', nodeId, isOpen } }),
  });
  const away = refusal(503, 'unavailable', 'The router cannot answer at the moment. Try again soon.');
  try {
    const server = await startAgentServer({
      listen,
      tls,
      ask: (call) => {
        question += 1;
        const asked = question;
        return new Promise((resolve) => {
          const cancel = clock.after(ANSWER_WITHIN_MS, () => settle(away));
          const settle = (reply: AgentReply): void => {
            cancel();
            waiting.delete(asked);
            resolve(reply);
          };
          waiting.set(asked, settle);
          send({ kind: 'told', told: { kind: 'call', question: asked, call } });
        });
      },
      onTunnel: (nodeId, socket) => {
        tunnels.open(nodeId, socket).catch(() => socket.destroy());
      },
    });
    main.on('message', (message: ToListenerThread) => {
      if (message.kind === 'reply') waiting.get(message.question)?.(message.reply);
      else if (message.kind === 'end') tunnels.end(message.nodeIds);
      else if (message.kind === 'tunnels?') tunnels.tell();
      else {
        server.close();
        tunnels.endAll();
        send({ kind: 'stopped' });
        main.close();
      }
    });
    send({ kind: 'listening', url: server.url, port: server.port });
  } catch (error) {
    const message = whyUnstartable(error, listen);
    if (message === null) throw error;
    send({ kind: 'failed', message });
    main.close();
  }
}

/** A sentence that says what to do; null for what nobody foresaw. */
function whyUnstartable(error: unknown, { host, port }: ListenerStart['listen']): string | null {
  if (error instanceof UnusableTls) return error.message;
  if (!(error instanceof Error) || !('code' in error)) return null;
  const address = authority(host, port);
  switch (error.code) {
    case 'EADDRINUSE':
      return `The address for agents ${address} is in use. Stop what listens there, or set another agents.listen.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `The address for agents ${address} is not one of this machine. Set another agents.listen.`;
    case 'EACCES':
      return `The address for agents ${address} may not be used by this user. Choose a port from 1024 on: agents.listen.`;
    default:
      return null;
  }
}
