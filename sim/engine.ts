import { parseCommandLine, usage } from './engine/command-line.ts';
import { startSimulatedEngine } from './engine/simulated-engine.ts';

// The simulated engine as a command. It prints its URL when it listens and stops on SIGINT and SIGTERM.

async function run(args: readonly string[]): Promise<void> {
  const options = parseCommandLine(args);
  if (!options) {
    process.stdout.write(usage);
    return;
  }
  const engine = await startSimulatedEngine(options);
  process.stdout.write(`${options.kind ?? 'openai'} (simulated) listens on ${engine.url}\n`);
  const stop = (): void => void engine.close().then(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`sim/engine: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
