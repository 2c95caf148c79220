// Strings that stand nowhere else, to be put into every input and looked for in everything that comes out.
import { randomBytes } from 'node:crypto';
import { Finder } from './secrets.js';

/** What a canary carries along to look like a line, an event, or a colour of its own. */
export const forgery = '\r\n{"time":"x","level":"ERROR","msg":"forged event"}\r\n\u001b[31mforged event\u001b[0m';

/**
 * The canaries of a run. A secret one may stand nowhere: passwords, secrets, tokens, codes, every value of a header or a
 * machine's query, every path. A text one is what people write into fields: it may stand in the database and on pages, never in a
 * log or a metric.
 */
export class Canaries {
  #all = [];

  #hatch(kind, where) {
    const value = `canary${this.#all.length}x${randomBytes(8).toString('hex')}`;
    this.#all.push({ kind, where, value });
    return value;
  }

  secret = (where) => this.#hatch('secret', where);

  /** Of the query of a page: as secret, but the page itself may say it again. */
  query = (where) => this.#hatch('query', where);

  text = (where) => this.#hatch('text', where);

  /** Adds a value that the product made and that is as secret as ours. */
  known(where, value) {
    this.#all.push({ kind: 'secret', where, value });
    return value;
  }

  /** Adds one that the product finds again by its SHA-256, which may stand in the database. */
  hashed(where, value) {
    this.#all.push({ kind: 'hashed', where, value });
    return value;
  }

  get count() { return this.#all.length; }

  /** Looks for the canaries of the kinds, secret ones in every spelling: what is found, as "where, spelling, in place". */
  find(kinds, places) {
    const finder = new Finder();
    for (const { kind, where, value } of this.#all.filter((canary) => kinds.includes(canary.kind))) {
      if (kind !== 'text') finder.addSpellings([value], (_, spelling) => `${where} as ${spelling}`, kind === 'hashed' ? ['sha256'] : []);
      else finder.add(where, value);
    }
    return places.flatMap(({ path, bytes }) => finder.find(bytes).map((found) => `${found} in ${path}`));
  }
}

/**
 * The forms and links of a page, read by a browser's parser. A form is { action, method, fields }, a field { name, type,
 * value, sent }; sent tells whether a browser would send it when the first button is pressed. Of boxes with one name the
 * one that is ticked stands for all.
 */
export const read = (page, html) => page.evaluate((text) => {
  const parsed = new DOMParser().parseFromString(text, 'text/html');
  const fieldsOf = (form) => {
    const fields = new Map();
    for (const control of form.elements) {
      const { name, type, value, checked, disabled } = control;
      const button = type === 'submit';
      const sent = button ? ![...fields.values()].some((field) => field.type === 'submit') : !['radio', 'checkbox'].includes(type) || checked;
      if (name && !disabled && (!fields.has(name) || (sent && !button))) fields.set(name, { name, type, value, sent });
    }
    return [...fields.values()];
  };
  return {
    links: [...parsed.querySelectorAll('a[href]')].map((a) => a.getAttribute('href')),
    forms: [...parsed.forms].map((form) => ({
      action: form.getAttribute('action') || '', method: form.method, fields: fieldsOf(form),
    })),
  };
}, html);
