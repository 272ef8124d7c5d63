import type { NodeRegistry } from '../nodes/registry.ts';
import type { RegisteredNode } from '../nodes/registered-node.ts';
import { type Call, notFound, param } from './call.ts';

/** The node that a path names, by its id or its name. Throws `ApiError` 404. */
export function findNode(registry: NodeRegistry, call: Call): RegisteredNode {
  const wanted = param(call, 'id');
  const node = registry.byId(wanted) ?? registry.byName(wanted);
  if (!node) throw notFound(`There is no node ${wanted}. GET /api/nodes lists them.`);
  return node;
}
