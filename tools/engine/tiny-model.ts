import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { callPieces, makeVocabulary, type Vocabulary } from './bigrams.ts';
import { writeGguf, type GgufTensor, type GgufValue } from './gguf.ts';
import { cacheDir } from './llama-server.ts';

// A language model whose weights are computed instead of trained, so that tests need no download. llama.cpp runs it as
// it runs any llama model. The trick, from input to output:
//
// - The embedding of token i is one-hot: 1 at place i, else 0. (The width must therefore be at least the vocabulary.)
// - Every block's matrices are zero. A block adds its result to what enters it, so zero blocks change nothing; the
//   engine still computes them in full. Layers are thus a dial for cost: more layers, slower, the same answer.
// - The last norm divides a row by its root mean square. That of a one-hot row of width n is 1/sqrt(n), so what leaves
//   the norm is sqrt(n) at place i.
// - Column i of the output matrix is log P(next | i) / sqrt(n). The product is log P(next | i): exactly the logits whose
//   softmax is the bigram table.
//
// It knows nothing of positions, so it says the same whatever came earlier; prefill, caches and slots cost what they
// would. It is no good for judging answers.

const headWidth = 64;
const feedForward = 256;
/** Unlisted followers get this logit: about two in a thousand million, yet allowed when a grammar forbids the rest. */
const unlikely = -20;

// ChatML, with tools the way Hermes models are shown them; from it the engine derives how a tool call is written. Offered
// tools, the model calls one (`tool_choice: auto` or absent), and having its result, it talks. `tool_choice: required`
// makes llama.cpp 0.7.0 abort, because its grammar then does not expect what the prompt ends with.
const chatTemplate = [
  '{% if tools %}<|im_start|>system\n<tools>{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}</tools>',
  '<tool_call>{"name": <name>, "arguments": <object>}</tool_call><|im_end|>\n{% endif %}',
  "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] or '' }}",
  "{% for call in message['tool_calls'] or [] %}<tool_call>\n",
  "{\"name\": \"{{ call['function']['name'] }}\", \"arguments\": {{ call['function']['arguments'] | tojson }}}",
  '\n</tool_call>{% endfor %}<|im_end|>\n{% endfor %}',
  '{% if add_generation_prompt %}<|im_start|>assistant\n',
  `{% if tools and messages[-1]['role'] != 'tool' %}${callPieces.wanted}{% endif %}{% endif %}`,
].join('');

export interface TinyModelOptions {
  /** Cost: 2 is as fast as the engine goes, 12 a few hundred tokens a second, 48 about a dozen and seconds to load. */
  readonly layers: number;
  /** Length of a row; rounded up to a multiple of 64 and to the vocabulary. */
  readonly width?: number;
  /** The context length the model claims, tokens. Default 8192. */
  readonly ctx?: number;
}

/** Computes the model, or finds it in `dir` made earlier by the same code; resolves with the path of the GGUF file. */
export async function makeTinyModel(options: TinyModelOptions, dir = join(cacheDir, 'models')): Promise<string> {
  const { layers, width = 0, ctx = 8192 } = options;
  if (!Number.isInteger(layers) || layers < 1)
    throw new RangeError(`layers must be a whole number from 1, not ${layers}`);
  const vocabulary = makeVocabulary();
  const rowWidth = Math.ceil(Math.max(width, vocabulary.pieces.length) / headWidth) * headWidth;
  const path = join(dir, `tiny-${await recipe()}-l${layers}-w${rowWidth}-c${ctx}.gguf`);
  if (existsSync(path)) return path;
  await mkdir(dir, { recursive: true });
  // Several test processes may compute it at once: each writes its own file, and the last rename wins with equal bytes.
  const unfinished = `${path}.${process.pid}`;
  await writeGguf(unfinished, describe(vocabulary, layers, rowWidth, ctx), makeTensors(vocabulary, layers, rowWidth));
  await rename(unfinished, path);
  return path;
}

/** Names the code a model came from, so that a change of the code makes a new file. */
async function recipe(): Promise<string> {
  const hash = createHash('sha256');
  for (const source of ['tiny-model.ts', 'bigrams.ts', 'gguf.ts']) {
    hash.update(await readFile(join(import.meta.dirname, source)));
  }
  return hash.digest('hex').slice(0, 8);
}

function describe(vocabulary: Vocabulary, layers: number, width: number, ctx: number): Record<string, GgufValue> {
  const heads = width / headWidth;
  return {
    'general.architecture': { string: 'llama' },
    'general.name': { string: 'tiny bigram model' },
    'general.file_type': { u32: 0 },
    'llama.context_length': { u32: ctx },
    'llama.embedding_length': { u32: width },
    'llama.block_count': { u32: layers },
    'llama.feed_forward_length': { u32: feedForward },
    'llama.attention.head_count': { u32: heads },
    'llama.attention.head_count_kv': { u32: heads },
    'llama.attention.layer_norm_rms_epsilon': { f32: 1e-6 },
    'llama.rope.dimension_count': { u32: headWidth },
    'llama.vocab_size': { u32: vocabulary.pieces.length },
    'tokenizer.ggml.model': { string: 'llama' },
    'tokenizer.ggml.pre': { string: 'default' },
    'tokenizer.ggml.tokens': { strings: vocabulary.pieces },
    'tokenizer.ggml.scores': { f32s: vocabulary.scores },
    'tokenizer.ggml.token_type': { i32s: vocabulary.types },
    'tokenizer.ggml.unknown_token_id': { u32: vocabulary.unknownId },
    'tokenizer.ggml.bos_token_id': { u32: vocabulary.beginId },
    'tokenizer.ggml.eos_token_id': { u32: vocabulary.endId },
    'tokenizer.ggml.add_bos_token': { bool: true },
    'tokenizer.ggml.add_eos_token': { bool: false },
    // Else "assistant" after a control token becomes " assistant", and a grammar that expects the former finds no way.
    'tokenizer.ggml.add_space_prefix': { bool: false },
    'tokenizer.chat_template': { string: chatTemplate },
  };
}

function makeTensors(vocabulary: Vocabulary, layers: number, width: number): GgufTensor[] {
  const size = vocabulary.pieces.length;
  const ones = new Float32Array(width).fill(1);
  const embedding = new Float32Array(size * width);
  const output = new Float32Array(size * width);
  const gain = Math.sqrt(width);
  for (const [id, next] of vocabulary.next.entries()) {
    embedding[id * width + id] = 1;
    for (let follower = 0; follower < size; follower++) {
      const share = next.get(follower);
      output[follower * width + id] = (share === undefined ? unlikely : Math.log(share)) / gain;
    }
  }
  const tensors: GgufTensor[] = [{ name: 'token_embd.weight', dims: [width, size], values: embedding }];
  for (let layer = 0; layer < layers; layer++) {
    const block = (name: string, dims: readonly number[], values: GgufTensor['values']): void => {
      tensors.push({ name: `blk.${layer}.${name}.weight`, dims, values });
    };
    block('attn_norm', [width], ones);
    for (const name of ['attn_q', 'attn_k', 'attn_v', 'attn_output']) block(name, [width, width], 'zeros');
    block('ffn_norm', [width], ones);
    block('ffn_gate', [width, feedForward], 'zeros');
    block('ffn_up', [width, feedForward], 'zeros');
    block('ffn_down', [feedForward, width], 'zeros');
  }
  tensors.push({ name: 'output_norm.weight', dims: [width], values: ones });
  tensors.push({ name: 'output.weight', dims: [width, size], values: output });
  return tensors;
}
