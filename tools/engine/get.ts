import { ensureLlamaServer } from './llama-server.ts';
import { ensureOllama } from './ollama.ts';
import { makeTinyModel } from './tiny-model.ts';

// `node tools/engine/get.ts`: fetches the engine and computes the models that the engine tests use, so that a CI step
// of its own pays for it and says what was got. With `--ollama` it builds Ollama too, which takes Go and some minutes. Exit code 1, with
// the reason, where there is no engine for this machine.

const server = await ensureLlamaServer();
if ('absent' in server) {
  process.stderr.write(`no llama.cpp server: ${server.absent}\n`);
  process.exitCode = 1;
} else {
  process.stdout.write(`llama.cpp server: ${server.version}\n`);
  for (const layers of [2, 12, 24, 96]) process.stdout.write(`model: ${await makeTinyModel({ layers })}\n`);
}

if (process.argv.includes('--ollama')) {
  const ollama = await ensureOllama(true);
  process.stdout.write('absent' in ollama ? `no Ollama: ${ollama.absent}\n` : `Ollama: ${ollama.version}\n`);
  if ('absent' in ollama) process.exitCode = 1;
}
