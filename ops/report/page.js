'use strict';
(() => {
  const root = document.documentElement;
  const find = document.getElementById('find');
  const field = (name) => find.elements.namedItem(name);
  const [search, source, topic] = ['search', 'source', 'topic'].map(field);
  const statuses = [...find.querySelectorAll('input[name="status"]')];
  const claims = [...document.querySelectorAll('.claim')].map((element) => ({
    element,
    text: element.textContent.toLowerCase().replace(/\s+/g, ' '),
  }));
  const groups = [...document.querySelectorAll('.topic'), ...document.querySelectorAll('.source')];
  const count = document.getElementById('count');
  const nothing = document.getElementById('nothing');

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = statuses.filter((box) => box.checked).map((box) => box.value);
    let shown = 0;
    for (const { element, text } of claims) {
      const { status, source: from, topic: about } = element.dataset;
      const fits = (!wanted.length || wanted.includes(status)) && (!source.value || source.value === from)
        && (!topic.value || topic.value === about) && words.every((word) => text.includes(word));
      element.hidden = !fits;
      shown += fits;
    }
    for (const group of groups) group.hidden = !group.querySelector('.claim:not([hidden])');
    count.textContent = shown === claims.length ? `All ${shown} promises` : `${shown} of ${claims.length} promises`;
    nothing.hidden = shown > 0;
  }

  function only(wanted) {
    search.value = '';
    source.value = wanted.source || '';
    topic.value = wanted.topic || '';
    for (const box of statuses) box.checked = box.value === wanted.status;
    filter();
  }

  // A link to a promise always arrives, whatever is filtered away.
  function arrive() {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.closest('.source') || !target.closest('[hidden]')) return;
    only({});
    target.scrollIntoView();
  }

  find.hidden = false;
  find.addEventListener('input', filter);
  find.addEventListener('submit', (event) => event.preventDefault());
  find.addEventListener('reset', (event) => {
    event.preventDefault();
    only({});
  });
  document.getElementById('open').addEventListener('click', (event) => {
    const open = event.currentTarget.getAttribute('aria-pressed') !== 'true';
    event.currentTarget.setAttribute('aria-pressed', String(open));
    for (const details of document.querySelectorAll('.claim details')) details.open = open;
  });
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-only]');
    if (link) only(Object.fromEntries(new URLSearchParams(link.dataset.only)));
  });
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest('input[type="search"], select, textarea');
    if (event.key === '/' && !typing) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === 'Escape' && event.target === search) {
      search.value = '';
      filter();
    }
  });
  addEventListener('hashchange', arrive);

  const toggle = document.getElementById('theme');
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const theme = () => root.dataset.theme || (dark.matches ? 'dark' : 'light');
  const label = () => { toggle.textContent = theme() === 'dark' ? 'Light theme' : 'Dark theme'; };
  const store = (action) => { try { return action(localStorage); } catch { return null; } };
  const kept = store((storage) => storage.getItem('theme'));
  if (kept === 'light' || kept === 'dark') root.dataset.theme = kept;
  toggle.hidden = false;
  toggle.addEventListener('click', () => {
    root.dataset.theme = theme() === 'dark' ? 'light' : 'dark';
    store((storage) => storage.setItem('theme', root.dataset.theme));
    label();
  });
  dark.addEventListener('change', label);
  label();
  filter();
  arrive();
})();
