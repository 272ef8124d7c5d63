import type { NodeSettings } from '../../fleet/settings.ts';
import { sameMachineUrl } from '../nodes/node-address.ts';
import type { RegisteredNode } from '../nodes/registered-node.ts';
import { type AdminState, atMost, inForce, kept } from './admin-state.ts';
import { ApiError, type Call, type Reply, type Route } from './call.ts';
import { findNode } from './find-node.ts';
import { checkedUrl, readNodeInput } from './node-input.ts';
import { nodeView } from './node-view.ts';

// Nodes. Those from the configuration and those found on this machine may be drained and probed here, not changed: what
// made them would bring the old state back.

const FIRST_PROBE_WITHIN_MS = 5000;

export function nodeRoutes(state: AdminState): readonly Route[] {
  const { fleet, clock, link, nodesTable, agentDesk } = state;
  const { registry } = fleet;

  const find = (call: Call): RegisteredNode => findNode(registry, call);
  const view = async (status: number, node: RegisteredNode, headers?: Record<string, string>): Promise<Reply> => ({
    status,
    body: nodeView(node, await link.askGauges(), agentDesk.viewOf(node)),
    ...(headers ? { headers } : {}),
  });
  const refuseTakenName = (settings: NodeSettings, self: RegisteredNode | null): void => {
    const other = registry.byName(settings.name);
    if (!other || other === self) return;
    throw new ApiError(409, 'name_taken', `name: there is a node ${settings.name} already. Choose another name.`);
  };

  const refuseOwnAddress = (baseUrl: string): void => {
    const own = [state.settings.listen.port, state.settings.admin.listen.port].map(
      (port) => `http://127.0.0.1:${port}`,
    );
    if (!own.includes(sameMachineUrl(baseUrl))) return;
    throw new ApiError(400, 'invalid_request', "url: is this router's own address. Give that of an inference engine.");
  };

  const list = async (): Promise<Reply> => {
    const gauges = await link.askGauges();
    return {
      status: 200,
      body: { data: registry.all().map((node) => nodeView(node, gauges, agentDesk.viewOf(node))) },
    };
  };

  const create = async (call: Call): Promise<Reply> => {
    const settings = await readNodeInput(await call.body(), null);
    const baseUrl = sameMachineUrl(checkedUrl(settings.url));
    refuseOwnAddress(baseUrl);
    const discovered = registry
      .all()
      .find((node) => node.managedBy === 'discovery' && sameMachineUrl(node.address.baseUrl) === baseUrl);
    refuseTakenName(settings, discovered ?? null);
    const id = kept(() => nodesTable.put(settings.name, 'api', settings));
    if (discovered) fleet.remove(discovered);
    const node = fleet.add({ id, managedBy: 'api', settings, draining: false });
    await atMost(clock, FIRST_PROBE_WITHIN_MS, fleet.probeNow(node));
    await inForce(state, 'node.create', id, { name: settings.name, url: settings.url });
    return view(201, node, { location: `/api/nodes/${id}` });
  };

  const change = async (call: Call): Promise<Reply> => {
    refuseManaged(find(call));
    const settings = await readNodeInput(await call.body(), find(call).settings);
    // Found anew: another administrator may have removed it while the body came.
    const node = find(call);
    refuseOwnAddress(checkedUrl(settings.url));
    refuseTakenName(settings, node);
    kept(() => nodesTable.change(node.id, settings));
    const before = node.address.baseUrl;
    fleet.change(node, settings);
    if (node.address.baseUrl !== before) state.modelTasks.tasks.renew(node.id);
    await atMost(clock, FIRST_PROBE_WITHIN_MS, fleet.probeNow(node));
    state.modelTasks.nodeChanged(node);
    await inForce(state, 'node.change', node.id, { name: settings.name, url: settings.url });
    return view(200, node);
  };

  const remove = async (call: Call): Promise<Reply> => {
    const node = find(call);
    // One that an agent brought may go: if the agent is still there and its token holds, it comes back.
    if (node.managedBy !== 'agent') refuseManaged(node);
    kept(() => nodesTable.remove(node.id));
    fleet.remove(node);
    await inForce(state, 'node.remove', node.id, { name: node.settings.name });
    return { status: 204, body: null };
  };

  const drain =
    (draining: boolean) =>
    async (call: Call): Promise<Reply> => {
      const node = find(call);
      kept(() => nodesTable.setDraining(node.id, draining));
      fleet.drain(node, draining);
      await inForce(state, draining ? 'node.drain' : 'node.resume', node.id, { name: node.settings.name });
      return view(200, node);
    };

  const probe = async (call: Call): Promise<Reply> => {
    const node = find(call);
    await atMost(clock, FIRST_PROBE_WITHIN_MS, fleet.probeNow(node));
    await inForce(state, 'node.probe', node.id, { name: node.settings.name });
    return view(200, node);
  };

  return [
    { method: 'GET', path: '/api/nodes', answer: list },
    { method: 'POST', path: '/api/nodes', answer: create },
    { method: 'GET', path: '/api/nodes/:id', answer: (call) => view(200, find(call)) },
    { method: 'PUT', path: '/api/nodes/:id', answer: change },
    { method: 'DELETE', path: '/api/nodes/:id', answer: remove },
    { method: 'POST', path: '/api/nodes/:id/drain', answer: drain(true) },
    { method: 'POST', path: '/api/nodes/:id/resume', answer: drain(false) },
    { method: 'POST', path: '/api/nodes/:id/probe', answer: probe },
  ];
}

function refuseManaged(node: RegisteredNode): void {
  if (node.managedBy === 'config') {
    throw new ApiError(
      409,
      'managed_by_config',
      `The node ${node.settings.name} comes from the configuration. Change it there, or drain it here.`,
    );
  }
  if (node.managedBy === 'agent') {
    throw new ApiError(
      409,
      'managed_by_agent',
      `The node ${node.settings.name} was registered by its agent. Change what you give to weir agent there, or drain it here.`,
    );
  }
  if (node.managedBy === 'discovery') {
    throw new ApiError(
      409,
      'managed_by_discovery',
      `The node ${node.settings.name} was found ${whereFound(node)}. Drain it, register its url yourself with POST /api/nodes, ` +
        `or change ${node.foundBy === null ? 'discovery.enabled' : `discovery.${node.foundBy.split(' ')[0]}`}.`,
    );
  }
}

function whereFound({ foundBy }: RegisteredNode): string {
  if (foundBy === null) return 'on this machine';
  return foundBy === 'file' ? 'in the file that discovery.file names' : `in DNS (${foundBy.replace('dns ', '')})`;
}
