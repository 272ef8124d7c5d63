import type { Command } from 'commander';
import { examples, type Host, Options, several, whole } from './admin-command.ts';

export interface AgentHost extends Host {
  readonly version: string;
}

/** `weir agent`: brings the engine of this machine into a router's fleet, and stays beside it. */
export function addAgentCommand(program: Command, host: AgentHost): void {
  const agent = program
    .command('agent')
    .description("bring this machine's engine into a router's fleet, and stay beside it")
    .helpOption('-h, --help', 'print this help')
    .requiredOption('--router <url>', 'where the router listens for agents (its agents.listen)')
    .option('--token <token>', 'registration token; others here can see it, so rather set WEIR_AGENT_TOKEN')
    .option('--engine <url>', "the engine's address, or auto: look on this machine's usual ports", 'auto')
    .option('--name <name>', "the node's name (default: this machine's)")
    .option('--tunnel', 'carry the requests too: for machines that the router cannot reach')
    .option('--advertise <address>', "host or URL where the router reaches the engine (default: the engine's address)")
    .option('--max-concurrent <count>', 'slots: requests at the same time (default: what the engine says)', whole)
    .option('--tag <tag>', 'a group it belongs to; may be given several times', several)
    .option('--logs <file>', "the engine's log, for weir nodes logs")
    .option('--logs-command <command>', 'a command that follows the log, such as "journalctl -fu ollama -n 100"')
    .option('--ca <file>', "PEM file of the authority that signed the router's certificate")
    .option('--insecure', 'join over plain HTTP from another machine: token and prompts can be read on the way')
    .option('--data-dir <path>', 'where it keeps who it is (WEIR_AGENT_DATA_DIR; default: ~/.weir-agent)')
    .allowExcessArguments(false)
    .addHelpText('after', `\nAn engine that asks for a key: set WEIR_ENGINE_KEY.\n${EXAMPLES}`);
  agent.action(async () => {
    // Loaded only here: the tunnel brings all of node:http along, which a router can do without.
    const { act } = await import('../agent/act.ts');
    await act(new Options(agent.opts<Record<string, unknown>>()), host);
  });
}

const EXAMPLES = examples(
  'WEIR_AGENT_TOKEN=… weir agent --router https://router.example:9349',
  'weir agent --router https://router.example:9349 --engine http://127.0.0.1:8000 --advertise 10.0.0.5',
  'weir agent --router https://router.example:9349 --tunnel --logs-command "journalctl -fu ollama -n 100"',
);
