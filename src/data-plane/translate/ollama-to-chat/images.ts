import type { Part } from '../chat/turns.ts';
import { isUnset, type Objections } from '../rules.ts';

// Ollama's images are bare base64; chat wants a URL that says the type, which is read from the first bytes.

const signatures: readonly (readonly [RegExp, string])[] = [
  [/^\x89PNG\r\n/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^GIF8[79]a/, 'image/gif'],
  [/^RIFF.{4}WEBP/s, 'image/webp'],
  [/^BM/, 'image/bmp'],
];

/** As many letters as hold the longest signature. */
const SIGNATURE_LETTERS = 16;

/** A text with images as the content of one chat message; the plain text where there are none. */
export function contentWith(
  text: string,
  images: unknown,
  path: string,
  objections: Objections,
): string | readonly Part[] {
  if (isUnset(images)) return text;
  if (!Array.isArray(images)) {
    objections.malformed(path, 'a list of images in base64');
    return text;
  }
  const parts = images.flatMap((image: unknown, index): Part[] => {
    const url = urlOf(image);
    if (url !== null) return [{ type: 'image_url', image_url: { url } }];
    objections.malformed(`${path}[${index}]`, 'a PNG, JPEG, GIF, WebP or BMP image in base64');
    return [];
  });
  return text === '' ? parts : [{ type: 'text', text }, ...parts];
}

function urlOf(image: unknown): string | null {
  if (typeof image !== 'string') return null;
  if (image.startsWith('data:image/')) return image;
  const head = Buffer.from(image.slice(0, SIGNATURE_LETTERS), 'base64').toString('latin1');
  const type = signatures.find(([signature]) => signature.test(head))?.[1];
  return type === undefined ? null : `data:${type};base64,${image}`;
}
