import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { OwnKeyLimits } from './data-plane/auth/key-limits.ts';
import { DataPlane } from './data-plane/data-plane.ts';
import { type ClientServer, listenForClients } from './data-plane/http/server.ts';
import { Board } from './data-plane/threads/board.ts';
import {
  type FromRelay,
  type PublishedFleet,
  type RelayStart,
  type ToRelay,
  WAKE,
} from './data-plane/threads/messages.ts';
import { Outbox } from './data-plane/threads/outbox.ts';
import { RemotePort } from './data-plane/threads/remote-port.ts';
import { Ring } from './data-plane/threads/ring.ts';
import { SharedKeyLimits } from './data-plane/threads/shared-limits.ts';
import { Shelf } from './data-plane/threads/shelf.ts';
import { Spread } from './data-plane/threads/spread.ts';
import { createHttpClient } from './http-client/http-client.ts';
import { systemClock } from './lib/clock.ts';

// The composition root of a relay thread beside the main one: a data plane with sockets and pools of its own, on the port that all
// threads listen on. What makes a start impossible is thrown: it ends the thread, and relay-threads.ts says the rest.

const BEAT_MS = 1000;
/** As in app-state.ts. */
const CLOSE_WITHIN_MS = 1000;

const given: RelayStart = workerData;
if (!parentPort) throw new Error('A relay thread is started by relay-threads.ts.');
await startRelayThread(given, parentPort);

async function startRelayThread(start: RelayStart, main: MessagePort): Promise<void> {
  const { thread } = start;
  const settings = { ...start.settings, listen: { ...start.settings.listen, port: start.port } };
  const clock = systemClock;
  const send = (message: FromRelay): void => main.postMessage(message);
  const board = new Board(settings.threads, start.board);
  const httpClient = createHttpClient(settings.pool, clock);
  const keyLimits = new SharedKeyLimits(start.limits, thread, new OwnKeyLimits());
  const spread = new Spread(board, thread, Math.random);
  const outbox = new Outbox({
    ring: new Ring(start.toDispatcher),
    clock,
    wake: () => send(WAKE),
    atTickEnd: (run) => void setImmediate(run),
  });
  const catchUp = (version: number): void => {
    while (plane.snapshot.version < version) {
      const next = receiveMessageOnPort(main);
      if (!next) return;
      take(next.message);
    }
  };
  const port = new RemotePort({
    inbox: new Ring(start.toRelay),
    outbox,
    board,
    shelf: new Shelf(start.shelf),
    clock,
    random: Math.random,
    catchUp,
    learns: () => plane.settings.selection.policy === 'adaptive',
  });
  const plane = new DataPlane({
    settings,
    clock,
    httpClient,
    random: Math.random,
    post: (message) => {
      send(message.kind === 'applied' ? message : { kind: 'tell', message });
      queueMicrotask(tellUnsettled);
      return true;
    },
    part: { port, dispatcher: null, keyLimits, shedsConnection: () => spread.shedsConnection() },
  });
  /** So that main knows how many are lost should this thread die. A request that ends becomes a pending settlement. */
  const tellUnsettled = (): void => board.setOpenRequests(thread, plane.open.size + plane.settlements.pending);
  const place = ({ snapshot, keyPlaces }: PublishedFleet): void => {
    keyLimits.replacePlaces(keyPlaces);
    plane.replaceSnapshot(snapshot);
  };
  place(start.fleet);
  const beating = setInterval(() => board.beats(thread), BEAT_MS);
  let server: ClientServer | null = null;

  const stop = async (): Promise<void> => {
    const giveUp = clock.after(CLOSE_WITHIN_MS, () => server?.destroy());
    await server?.close();
    giveUp();
    clearInterval(beating);
    plane.settlements.flush();
    httpClient.close();
    send({ kind: 'stopped' });
    main.close();
  };
  const take = (message: ToRelay): void => {
    if (message === WAKE) return port.hear();
    switch (message.kind) {
      case 'fleet':
        return place(message);
      case 'settings':
        plane.replaceSettings(message.settings);
        server?.replaceSettings(message.settings);
        return;
      case 'abort':
        return plane.abortKey(message.keyId);
      case 'report?':
        plane.settlements.flush();
        return send({ kind: 'report', question: message.question, report: plane.report() });
      case 'drain':
        plane.drain(message.limitMs).then(
          () => send({ kind: 'drained' }),
          (error: unknown) =>
            setImmediate(() => {
              throw error;
            }),
        );
        return;
      case 'stop':
        void stop();
    }
  };
  main.on('message', take);
  server = await listenForClients(
    settings,
    (request, response) => {
      plane.handle(request, response);
      tellUnsettled();
    },
    { reusePort: true, onConnection: (socket) => spread.opened(socket) },
  );
  send({ kind: 'listening' });
}
