// Where may a secret hide? In any file or answer, in any spelling that software gives to bytes.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Base64 of text wherever it begins in a longer run of bytes, without the ends that depend on its neighbours. */
const base64Anywhere = (text) => [0, 1, 2].map((before) => {
  const bits = 8 * Buffer.byteLength(text);
  const coded = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]).toString('base64');
  return coded.slice(Math.ceil((8 * before) / 6), Math.floor((8 * before + bits) / 6));
});

/** Every spelling of text that is looked for, by name: itself, backwards, hex, base64, UTF-16, and its plain hashes. */
function spellings(text) {
  const hex = Buffer.from(text).toString('hex');
  const list = {
    plain: text, backwards: [...text].reverse().join(''), hex, HEX: hex.toUpperCase(), utf16: Buffer.from(text, 'utf16le').toString('latin1'),
  };
  base64Anywhere(text).forEach((coded, i) => {
    list[`base64 ${i}`] = coded;
    list[`base64url ${i}`] = coded.replaceAll('+', '-').replaceAll('/', '_');
  });
  for (const algorithm of ['md5', 'sha1', 'sha256', 'sha512']) {
    const hash = createHash(algorithm).update(text).digest();
    list[`${algorithm} hex`] = hash.toString('hex');
    list[`${algorithm} base64`] = hash.toString('base64').replace(/=+$/, '');
    list[`${algorithm} base64url`] = hash.toString('base64url');
    list[`${algorithm} bytes`] = hash.toString('latin1');
  }
  return list;
}

/** Looks for many texts at once, in one pass over the bytes, however many they are. */
export class Finder {
  #texts = new Map(); // first four bytes → [[label, text]]
  #starts = new Uint8Array(1 << 16); // first two bytes of any text

  /** Adds a text of at least four bytes, one character for each. */
  add(label, text) {
    const head = text.slice(0, 4);
    this.#starts[text.charCodeAt(0) << 8 | text.charCodeAt(1)] = 1;
    this.#texts.set(head, [...this.#texts.get(head) ?? [], [label, text]]);
    return this;
  }

  /** Adds every spelling of each value but those whose name begins with an excuse. label(value, name) names a find. */
  addSpellings(values, label, excuses = []) {
    for (const value of values) {
      for (const [name, text] of Object.entries(spellings(value))) {
        if (!excuses.some((excuse) => name.startsWith(excuse))) this.add(label(value, name), text);
      }
    }
    return this;
  }

  /** Returns the labels of the texts that stand in bytes, each once. */
  find(bytes) {
    const found = new Set();
    for (let i = 0; i + 4 <= bytes.length; i += 1) {
      if (!this.#starts[bytes.charCodeAt(i) << 8 | bytes.charCodeAt(i + 1)]) continue;
      for (const [label, text] of this.#texts.get(bytes.slice(i, i + 4)) ?? []) {
        if (bytes.startsWith(text, i)) found.add(label);
      }
    }
    return [...found];
  }
}

/** Every file below the directories, as { path, bytes } with one character for each byte. */
export const files = (...directories) => directories.flatMap((directory) => (
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .map((path) => ({ path, bytes: readFileSync(path, 'latin1') }))));
