import type { AttemptRecord, Settlement } from '../../src/fleet/settlement.ts';
import { uuid7Source } from '../../src/lib/uuid7.ts';

const START = Date.UTC(2026, 0, 1);

/** A settlement of a served request that arrived `nth` seconds into a fixed day; its id sorts by that. */
export function testSettlement(nth: number, more: Partial<Settlement> = {}): Settlement {
  const arrivedAt = START + nth * 1000;
  return {
    id: uuid7Source(() => arrivedAt)(),
    clientRequestId: null,
    traceparent: null,
    arrivedAt,
    dialect: 'openai',
    path: '/v1/chat/completions',
    model: 'llama3',
    modelOffered: true,
    keyId: null,
    address: '192.0.2.7',
    stream: true,
    outcome: 'served',
    status: 200,
    code: null,
    waitMs: null,
    firstByteMs: 20.5,
    durationMs: 100.25,
    requestBytes: 300,
    responseBytes: 4000,
    usage: { promptTokens: 10, completionTokens: 20, cachedTokens: null, estimated: false },
    attempts: [testAttempt('gpu-1')],
    ...more,
  };
}

export function testAttempt(nodeName: string, more: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    nodeId: `id-${nodeName}`,
    nodeName,
    startedAfterMs: 1,
    model: null,
    durationMs: 99,
    status: 200,
    end: 'complete',
    ...more,
  };
}
