import { open, type FileHandle } from 'node:fs/promises';

// The GGUF file format, version 3, as far as a llama model in 32-bit floats needs it: a header, typed metadata, the
// tensors' table, then their values at aligned offsets. A tensor of zeros is a hole in the file: it takes no disk and
// no time to write, and reads as zeros. Described in ggml's docs/gguf.md.

const alignment = 32;
const valueType = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 };
const tensorTypeF32 = 0;

export type GgufValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly i32s: readonly number[] }
  | { readonly f32s: readonly number[] }
  | { readonly strings: readonly string[] };

export interface GgufTensor {
  readonly name: string;
  /** Row length first, as ggml counts dimensions. */
  readonly dims: readonly number[];
  readonly values: Float32Array | 'zeros';
}

/** Writes a whole GGUF file; an existing one is replaced. */
export async function writeGguf(
  path: string,
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
): Promise<void> {
  const entries = Object.entries({ 'general.alignment': { u32: alignment }, ...metadata });
  const table: Buffer[] = [];
  let valuesBytes = 0;
  const placed: { tensor: GgufTensor; offset: number }[] = [];
  for (const tensor of tensors) {
    placed.push({ tensor, offset: valuesBytes });
    table.push(text(tensor.name), u32(tensor.dims.length), ...tensor.dims.map(u64), u32(tensorTypeF32));
    table.push(u64(valuesBytes));
    valuesBytes += align(4 * tensor.dims.reduce((product, dim) => product * dim, 1));
  }
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(entries.length),
    ...entries.flatMap(([key, value]) => [text(key), encode(value)]),
    ...table,
  ]);
  const valuesStart = align(header.length);
  const file = await open(path, 'w');
  try {
    await file.truncate(valuesStart + valuesBytes);
    await writeAt(file, header, 0);
    for (const { tensor, offset } of placed) {
      if (tensor.values === 'zeros') continue;
      const { buffer, byteOffset, byteLength } = tensor.values;
      await writeAt(file, Buffer.from(buffer, byteOffset, byteLength), valuesStart + offset);
    }
  } finally {
    await file.close();
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, start: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, start + done)).bytesWritten;
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function encode(value: GgufValue): Buffer {
  if ('u32' in value) return Buffer.concat([u32(valueType.u32), u32(value.u32)]);
  if ('f32' in value) return Buffer.concat([u32(valueType.f32), f32(value.f32)]);
  if ('bool' in value) return Buffer.concat([u32(valueType.bool), Buffer.from([value.bool ? 1 : 0])]);
  if ('string' in value) return Buffer.concat([u32(valueType.string), text(value.string)]);
  if ('i32s' in value) return array(valueType.i32, value.i32s.map(i32));
  if ('f32s' in value) return array(valueType.f32, value.f32s.map(f32));
  return array(valueType.string, value.strings.map(text));
}

function array(itemType: number, items: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(valueType.array), u32(itemType), u64(items.length), ...items]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
}
