import { parentPort, workerData } from 'node:worker_threads';
import type { ControlPlaneStart } from '../fleet/messages.ts';
import { systemClock } from '../lib/clock.ts';
import { startControlPlane } from './control-plane.ts';

const start: ControlPlaneStart = workerData;
if (!parentPort) throw new Error('The control plane runs in a worker thread; see control-plane-host.ts.');
await startControlPlane(start, parentPort, systemClock);
