import type { NodeCommand } from '../fleet/messages.ts';
import type { NodeFleet } from './nodes/node-fleet.ts';
import type { AuditTable } from './store/audit-table.ts';
import { StoreWriteError } from './store/database.ts';
import type { Log } from './telemetry/log.ts';

/** A client's key had a node changed: noted like an administrator's doing, and what the node has now is asked at once. */
export function noteCommand(
  { fleet, audit, log }: { readonly fleet: NodeFleet; readonly audit: AuditTable; readonly log: Log },
  { requestId, command, models, node, key, end }: NodeCommand,
): void {
  // The same mark as of a model that turned out not to be there: what the node lists is not what it has.
  fleet.doubt({ index: node.index, generation: node.generation, reason: 'model-missing', model: null });
  const action = `model.${command}`;
  try {
    audit.record(action, node.id, { name: node.name, models, key, request: requestId, end });
  } catch (error) {
    if (!(error instanceof StoreWriteError)) throw error;
    log.warn('an audit row could not be written', { action, subject: node.id, reason: error.message });
  }
}
