// The one script of the portal. It only shortens paths that work without it; every task completes with this file
// removed. It holds no text for people: those come from data-* attributes that the server wrote.
//
//   body[data-keys]                 shortcuts are on; [data-key="g a"] is what a shortcut clicks or focuses
//   form[data-search][data-results] live search; the id of the section that is swapped (its data-status is said, and
//                                   of one with data-fault nothing else is taken); a secret
//                                   that is pasted there is kept back, and data-revoke leads on, called data-revoke-text
//   form[data-find]                 a search that is sent as it is, but for secrets
//   details[data-stays]             stays open when live search swaps it
//   a[data-dialog]                  its page may be shown as a dialog (#dlg)
//   form[data-busy]                 sent once; the value is what its button says meanwhile
//   [data-focus]                    focused on load, where the autofocus attribute is not
//   [data-copy=id][data-status]     copies a field or element; data-text inside holds the word of the button
//   [data-select]                   selects itself when focused
//   [data-hide], [data-peek=id]     hide secrets on the page, show a password
//   [data-reveal=url]               the page of a new secret; url is where a reload leads
//   [data-secret] [data-stored]     wiped on leaving; ticking means "stored"
//   [data-download=env|json][data-from=id][data-name]
//   select[data-filter-by=name]     options with data-for show for those values of the named field
//   input[data-filter=id]           narrows the [data-filter-item]s of an element, [data-filter-group]s follow
//   [data-count-of=name]            "#" in its data-text becomes the number of ticked boxes of that name; only those in the
//                                   element of the id data-within; [data-say] is said when one is ticked
//   input[data-all-of=name]         stands for all boxes of that name; ticked, its data-text is what is counted
//   [data-join-of=name]             a field that lists their values; boxes of one name and value are ticked together
//   a[data-carry=name]              takes the ticked boxes of that name along, as parameters of its address
//   [data-poll=url]                 a part of the page that goes on: asked for again each 2 s, as long as it says so
//   tr[data-row], a[data-open]      rows that j and k walk; of table[data-rows] all, by the link in their head
//   input[data-calls]               a curl command that is pasted there becomes the call it makes
//   input[data-plain]               counts only without the script, which removes it

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const byId = (id) => document.getElementById(id);
const texts = document.body.dataset;
const status = byId('status');

/** Says something through the page's one status region, also when it is the same text as before. */
const say = (text) => {
  status.textContent = '';
  setTimeout(() => { status.textContent = text; }, 50);
};

// --- fragments: the only place where text becomes elements ---

let arrived;
const policy = globalThis.trustedTypes?.createPolicy('portal', {
  createHTML(text) {
    if (text !== arrived) throw new TypeError('not a fragment of this site');
    return text;
  },
});

async function fragment(href, name, signal) {
  const url = new URL(href, location.href);
  if (url.origin !== location.origin) throw new TypeError('other site');
  const answer = await fetch(url, { headers: { 'X-Fragment': name }, signal });
  const text = await answer.text();
  const html = answer.headers.get('Content-Type')?.startsWith('text/html');
  if (!answer.ok || answer.redirected || !html || /^\s*<!doctype/i.test(text)) throw new Error('no fragment');
  arrived = text;
  try {
    return new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, 'text/html');
  } finally {
    arrived = undefined;
  }
}

// --- live search ---

const looksSecret = (text) => /ccw[srt]_[0-9a-z]/i.test(text);
const command = /^\s*(\$\s+)?curl[.ex]*\s/i;

/** Of a curl command only method and path leave the browser. The server reads one alike (scope.Curl). */
function callOf(text) {
  if (!command.test(text)) return text;
  const words = text.replaceAll('^', '').replace(/\\\s/g, ' ').match(/(\$'(\\.|[^'\\])*'?|'[^']*'?|"(\\.|[^"\\])*"?|\\.|[^\s'"\\])+/g)
    .map((word) => word.replace(/['"\\]/g, '').replace(/^--url=/, ''));
  const address = words.find((word, i) => {
    const value = /^-\w*[AbcCDeEdFHKmoPTuUwxX]$|^--(cookie|data|form|header|json|proxy|referer|user)/.test(words[i - 1])
      || (/^--(?!url$)/.test(words[i - 1]) && !word.includes('://'));
    return i && !value && /^[^\s/-][^\s/]*\/[^\s?#]\S*$/.test(word.replace(/^\w+:\/\//, ''));
  });
  if (!address) return 'curl';
  const line = words.join(' ');
  const sends = !/ (-[GI]|--get|--head) /.test(line) && / (-[dF]|--(data|json|form))/.test(line);
  const [, method = sends ? 'POST' : 'GET'] = / (?:--request[ =]|-[fgikLsSv]*X) *(GET|POST|PUT|PATCH|DELETE)\b/i.exec(line) ?? [];
  return `${method} ${address.replace(/^\w+:\/\//, '').replace(/^[^/]*|[?#].*/gs, '')}`;
}

const tooShort = (text) => {
  const letters = [...text.trim()];
  return letters.length === 1 && !/\p{Script=Han}/u.test(letters[0]);
};

function note(form, text, { revoke, revokeText } = {}) {
  let line = $('.search-note', form);
  if (!line && text) {
    line = document.createElement('p');
    line.className = 'search-note is-warning';
    form.append(line);
  }
  if (line) line.textContent = text;
  if (revoke) line.append(' ', Object.assign(document.createElement('a'), { href: revoke, textContent: revokeText }));
  if (text) say(text);
}

/** A search that is sent as it is: a secret is not. */
function find(form) {
  form.addEventListener('submit', (event) => {
    if (!looksSecret(form.elements.q.value)) return;
    event.preventDefault();
    form.elements.q.value = '';
    note(form, texts.secretKept);
  });
}

function live(form) {
  const id = form.dataset.results;
  const input = form.elements.q;
  let timer;
  let request;

  const guard = () => {
    if (!looksSecret(input.value)) return false;
    clearTimeout(timer);
    input.value = '';
    note(form, texts.secretKept, form.dataset);
    return true;
  };

  const shorten = () => { if ('calls' in input.dataset) input.value = callOf(input.value); };

  const address = () => {
    const url = new URL(form.action);
    for (const [name, value] of new FormData(form)) url.searchParams.append(name, value);
    return url;
  };
  form.addEventListener('formdata', ({ formData }) => { // however it is sent: nothing empty, nothing twice
    for (const name of new Set(formData.keys())) {
      const values = new Set(formData.getAll(name));
      formData.delete(name);
      for (const value of values) if (value) formData.append(name, value);
    }
  });

  const run = async () => {
    request?.abort();
    shorten();
    if (guard()) return; // written there without an event: by the browser's history, by a filler of forms
    const mine = request = new AbortController();
    const url = address();
    const dim = setTimeout(() => byId(id).setAttribute('aria-busy', 'true'), 400);
    try {
      const fresh = (await fragment(url, 'results', mine.signal)).getElementById(id);
      if (mine !== request) return;
      if ('fault' in fresh.dataset && !('fault' in byId(id).dataset)) { // half a filter: what is shown stays
        note(form, fresh.dataset.status);
        return;
      }
      for (const part of $$('[data-stays]', fresh)) part.open = Boolean($('[data-stays][open]', byId(id)));
      byId(id).replaceWith(fresh);
      ready(fresh);
      history.replaceState(null, '', url);
      note(form, '');
      say(fresh.dataset.status ?? '');
    } catch (error) {
      if (error.name !== 'AbortError') note(form, texts.searchFailed);
    } finally {
      clearTimeout(dim);
      if (mine === request) byId(id).removeAttribute('aria-busy');
    }
  };

  const later = (event) => {
    clearTimeout(timer);
    if (event.isComposing || guard() || tooShort(input.value) || command.test(input.value)) return;
    timer = setTimeout(run, 250);
  };
  input.addEventListener('input', later);
  input.addEventListener('compositionend', later);
  document.addEventListener('change', ({ target }) => { // fields of the form may stand elsewhere on the page
    if (target.form !== form || target === input) return;
    if (byId(id).contains(target)) history.replaceState(null, '', address());
    else run();
  });
  form.addEventListener('submit', (event) => {
    clearTimeout(timer);
    request?.abort();
    shorten();
    if (guard()) event.preventDefault();
  });
}

// --- dialogs ---

const dialog = byId('dlg');

async function ask(link) {
  const menu = link.closest('[popover]');
  menu?.hidePopover();
  const opener = menu ? $(`[popovertarget="${CSS.escape(menu.id)}"]`) : link;
  try {
    const page = await fragment(link.href, 'dialog');
    dialog.replaceChildren(...page.body.childNodes);
    ready(dialog);
    dialog.addEventListener('close', () => opener.focus(), { once: true });
    dialog.showModal();
    ($('[data-focus]', dialog) ?? $('h2', dialog))?.focus();
  } catch {
    location.assign(link.href);
  }
}

// --- copying, hiding, downloading ---

const marks = new WeakMap();
let stored = true;

async function copy(button) {
  const source = byId(button.dataset.copy);
  const word = $('[data-text]', button);
  const isSecret = source.matches('[data-secret]');
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
  } catch {
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    say(texts.copyFailed);
    return;
  }
  if (isSecret) stored = true;
  say(button.dataset.status);
  const mark = marks.get(button) ?? { before: word.textContent };
  clearTimeout(mark.timer);
  word.textContent = texts.copied;
  mark.timer = setTimeout(() => { word.textContent = mark.before; }, 2000);
  marks.set(button, mark);
}

function toggleWord(button, hidden) {
  $('[data-text]', button).textContent = hidden ? button.dataset.hiddenText : button.dataset.shownText;
}

function hide(button) {
  const secrets = $$('[data-secret]');
  const hidden = !secrets[0]?.classList.contains('masked');
  secrets.forEach((element) => element.classList.toggle('masked', hidden));
  $$('[data-hide]').forEach((other) => toggleWord(other, hidden));
  button.focus();
}

function peek(button) {
  const input = byId(button.dataset.peek);
  const hidden = input.type === 'text';
  input.type = hidden ? 'password' : 'text';
  toggleWord(button, hidden);
}

function download({ download: kind, from, name }) {
  const env = byId(from).value ?? byId(from).textContent;
  const pairs = env.trim().split('\n').map((line) => line.split(/=(.*)/s)).filter((pair) => pair.length > 1);
  const json = () => JSON.stringify(Object.fromEntries(pairs.map(([k, v]) => [k.trim().toLowerCase(), v])), null, 2);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([`${kind === 'json' ? json() : env.trim()}\n`], { type: 'text/plain' }));
  link.download = kind === 'json' ? `${name}.json` : `${name}.env`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  stored = true;
}

// --- the page of a new secret ---

function wipe() {
  for (const element of $$('[data-secret]')) {
    if ('value' in element) {
      element.value = '';
      element.defaultValue = '';
    } else {
      element.textContent = '';
    }
  }
}

function reveal(page) {
  stored = false;
  history.replaceState(null, '', page.dataset.reveal);
  addEventListener('pagehide', wipe);
  addEventListener('pageshow', (event) => { if (event.persisted) location.replace(page.dataset.reveal); });
  addEventListener('beforeunload', (event) => { if (!stored) event.preventDefault(); });
  $('[data-stored]', page)?.addEventListener('change', (event) => { if (event.target.checked) stored = true; });
}

// --- forms ---

function offerBy(select) {
  const field = () => select.form.elements[select.dataset.filterBy];
  const offer = () => {
    const value = field().value;
    for (const option of select.options) {
      const fits = !option.dataset.for || !value || option.dataset.for.split(' ').includes(value);
      option.hidden = option.disabled = !fits;
    }
    if (select.selectedOptions[0]?.disabled) {
      select.value = [...select.options].find((option) => !option.disabled)?.value ?? '';
    }
  };
  select.form.addEventListener('change', (event) => {
    if (event.target.name === select.dataset.filterBy) offer();
  });
  if (field()?.value) offer();
}

function narrow(input) {
  const list = byId(input.dataset.filter);
  const groups = $$('[data-filter-group]', list);
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of $$('[data-filter-item]', list)) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of groups) {
      const some = $('[data-filter-item]:not([hidden])', group);
      group.hidden = !some;
      if (words.length && some && 'open' in group) group.open = true;
    }
  });
}

const ticked = (name, root) => [...new Set($$(`input[name="${CSS.escape(name)}"]:checked`, root).map((box) => box.value))];

function tally() {
  for (const line of $$('[data-count-of]')) {
    const { countOf, within, text } = line.dataset;
    const all = $(`[data-all-of="${countOf}"]:checked`);
    line.textContent = all ? all.dataset.text : text.replace('#', ticked(countOf, within && byId(within)).length);
  }
  for (const field of $$('[data-join-of]')) field.value = ticked(field.dataset.joinOf).join(' ');
}

/** A scope that stands in two rows is ticked in both. */
function alike(box) {
  if (box.type !== 'checkbox' || !$('[data-join-of]')) return;
  for (const twin of $$(`input[name="${CSS.escape(box.name)}"]`)) if (twin.value === box.value) twin.checked = box.checked;
}

function carry(link) {
  const url = new URL(link.href);
  const name = link.dataset.carry;
  url.searchParams.delete(name);
  for (const value of ticked(name)) url.searchParams.append(name, value);
  link.href = url;
}

const busy = new Map();

function send(event) {
  const form = event.target;
  if (!('busy' in form.dataset) || event.defaultPrevented) return;
  if (busy.has(form)) {
    event.preventDefault();
    return;
  }
  const button = event.submitter;
  busy.set(form, button && { button, words: [...button.childNodes] });
  if (!button) return;
  button.setAttribute('aria-disabled', 'true');
  if (form.dataset.busy) button.replaceChildren(form.dataset.busy);
}

/** A page that comes back from the back/forward cache can be used again. */
function rest() {
  for (const held of busy.values()) {
    held?.button.removeAttribute('aria-disabled');
    held?.button.replaceChildren(...held.words);
  }
  busy.clear();
}

// --- shortcuts ---

let prefix = '';

function shortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog?.open) return;
  if (event.target.closest('input, textarea, select, [contenteditable]')) return;
  const keys = prefix + event.key;
  prefix = event.key === 'g' ? 'g ' : '';
  setTimeout(() => { prefix = ''; }, 1500);
  if (event.key === 'j' || event.key === 'k') {
    const links = $$('[data-row] [data-open], [data-rows] th[scope=row] > a');
    const at = links.findIndex((link) => link.closest('tr').contains(document.activeElement));
    links[Math.max(0, Math.min(links.length - 1, at + (event.key === 'j' ? 1 : -1)))]?.focus();
    return;
  }
  const target = $$('[data-key]').find((element) => element.dataset.key === keys);
  if (!target) return;
  event.preventDefault();
  if (target.matches('input')) target.select();
  else target.click();
}

// --- work that goes on ---

/** A part of the page that changes by itself is asked for again, until it has come to its end. */
function follow(part) {
  setTimeout(async () => {
    let next = part;
    try {
      const fresh = (await fragment(part.dataset.poll, 'results')).getElementById(part.id);
      if (!fresh.dataset.poll || !part.contains(document.activeElement)) {
        part.replaceWith(fresh);
        next = fresh;
      }
    } catch { /* the next one may be answered */ }
    if (next.dataset.poll) follow(next);
    else say(next.dataset.status);
  }, 2000);
}

// --- start ---

function ready(root) {
  $$('select[data-filter-by]', root).forEach(offerBy);
  $$('input[data-filter]', root).forEach(narrow);
  $$('[data-plain]', root).forEach((field) => field.remove());
  $$('input:checked', root).forEach(alike);
  tally();
}

const clicks = { copy, hide, peek, download: (button) => download(button.dataset), dialog: ask };

document.addEventListener('change', ({ target }) => {
  alike(target);
  tally();
  const count = $$('[data-say]').find((line) => line.dataset.countOf === (target.dataset.allOf ?? target.name));
  if (count) say(count.textContent);
});
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-carry]');
  if (link) carry(link);
  const target = event.target.closest('[data-copy], [data-hide], [data-peek], [data-download], a[data-dialog]');
  if (!target || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const kind = Object.keys(clicks).find((name) => name in target.dataset);
  if (kind === 'dialog') {
    if (!dialog) return;
    event.preventDefault();
  }
  clicks[kind](target);
});
document.addEventListener('input', ({ target, inputType }) => { // what is typed by hand is left alone until it is sent
  if ('calls' in target.dataset && !/^(insertText|delete)/.test(inputType)) target.value = callOf(target.value);
}, true);
document.addEventListener('focusin', (event) => { if (event.target.matches('[data-select]')) event.target.select(); });
document.addEventListener('submit', send);
addEventListener('pageshow', (event) => { if (event.persisted) rest(); });
if ('keys' in texts) document.addEventListener('keydown', shortcut);
if (!('commandForElement' in HTMLButtonElement.prototype)) {
  dialog?.addEventListener('click', (event) => { if (event.target.closest('[command=request-close]')) dialog.close(); });
}

if (!/(^|; )tz=/.test(document.cookie)) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `tz=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

$$('form[data-search]').forEach(live);
$$('[data-poll]').forEach(follow);
$$('form[data-find]').forEach(find);
$$('[data-reveal]').forEach(reveal);
ready(document);
$('[data-focus]:not([autofocus])')?.focus();
