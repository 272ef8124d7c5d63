import { EXPOSITION_TYPE } from '../telemetry/exposition.ts';
import { gaugePage } from '../telemetry/gauge-page.ts';
import type { AdminState } from './admin-state.ts';
import type { Reply, Route } from './call.ts';
import { nodeView } from './node-view.ts';

// The router itself: its figures and its metrics.

export function routerStateRoutes(state: AdminState): readonly Route[] {
  const { fleet, link, metrics, clock, startedAt, agentDesk } = state;

  const stats = async (): Promise<Reply> => {
    const gauges = await link.askGauges();
    return {
      status: 200,
      body: {
        startedAt,
        uptimeMs: Math.max(0, clock.wall() - startedAt),
        gauges,
        totals: metrics.totals,
        nodes: fleet.registry.all().map((node) => nodeView(node, gauges, agentDesk.viewOf(node))),
      },
    };
  };

  const page = async (): Promise<Reply> => {
    const gauges = await link.askGauges();
    const nodes = fleet.registry.all().map(({ index, generation, settings, health }) => {
      return { index, generation, name: settings.name, state: health.state };
    });
    const { user, system } = process.cpuUsage();
    const figures = { residentBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6, startedAt };
    return {
      status: 200,
      body: `${metrics.page()}\n${gaugePage(gauges, nodes, figures, state.modelTasks.tasks.all())}`,
      headers: { 'content-type': EXPOSITION_TYPE },
    };
  };

  return [
    { method: 'GET', path: '/api/stats', answer: stats },
    { method: 'GET', path: '/metrics', answer: page },
  ];
}
