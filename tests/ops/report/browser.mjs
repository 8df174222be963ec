// Opens a trust report in a real browser, uses it as a reader would, and prints what it saw as JSON.
// usage: node browser.mjs CHROMIUM PAGE.html
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const [, , executablePath, file] = process.argv;
const url = pathToFileURL(file).href;
const seen = { requests: [], console: [] };

const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});

async function open(options = {}, hash = '') {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('request', (request) => {
    if (request.url().split('#')[0] !== url && !request.url().startsWith('data:')) seen.requests.push(request.url());
  });
  page.on('console', (message) => seen.console.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => seen.console.push(`error: ${error}`));
  await page.goto(url + hash);
  return page;
}

const shown = (page) => page.$$eval('.claim', (claims) => claims.filter((claim) => claim.checkVisibility()).map((claim) => claim.id));
const focused = (page) => page.evaluate(() => document.activeElement.id || document.activeElement.className || document.activeElement.tagName);
const background = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
const clear = (page) => page.click('button[type=reset]');

// Accessibility and contrast, everything unfolded, in both themes and on a phone.
seen.axe = {};
for (const [name, options] of Object.entries({
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 } },
})) {
  const page = await open(options);
  await page.evaluate(() => document.querySelectorAll('details').forEach((details) => { details.open = true; }));
  await page.check('input[value=HOLDS]');
  await page.uncheck('input[value=HOLDS]');
  await page.evaluate(axe);
  const result = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }));
  seen.axe[name] = {
    violations: result.violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)} ${node.failureSummary}`)),
    passed: result.passes.map((rule) => rule.id),
    undecided: result.incomplete.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)}`)),
  };
  seen.axe[name].wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  await page.context().close();
}

// The keyboard alone.
{
  const page = await open({ colorScheme: 'light' });
  seen.keyboard = {};
  await page.keyboard.press('Tab');
  seen.keyboard.first = await focused(page);
  seen.keyboard.skipVisible = await page.$eval('.skip', (link) => link.getBoundingClientRect().top >= 0);
  await page.keyboard.press('Enter');
  seen.keyboard.skipped = await page.evaluate(() => location.hash);
  await page.evaluate(() => document.activeElement.blur());
  seen.keyboard.unmarked = [];
  seen.keyboard.stops = [];
  await page.goto(url);
  for (let stop = 0; stop < 400; stop += 1) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const marked = [element, element.closest('label')].some((e) => e && getComputedStyle(e).outlineStyle !== 'none' && parseFloat(getComputedStyle(e).outlineWidth) >= 2);
      return { name: element.id || element.getAttribute('href') || element.textContent.trim().slice(0, 40), marked };
    });
    if (!at) break;
    seen.keyboard.stops.push(at.name);
    if (!at.marked) seen.keyboard.unmarked.push(at.name);
  }
  await page.evaluate(() => document.activeElement.blur());
  await page.keyboard.press('/');
  seen.keyboard.slash = await focused(page);
  await page.keyboard.type('tls PARIM');
  seen.keyboard.typed = await shown(page);
  await page.keyboard.press('Escape');
  seen.keyboard.escaped = (await shown(page)).length;
  await page.keyboard.press('Tab');
  await page.keyboard.type('Parim');
  seen.keyboard.source = await shown(page);
  await clear(page);
  await page.focus('input[value=BROKEN]');
  await page.keyboard.press('Space');
  seen.keyboard.status = await shown(page);
  await clear(page);
  await page.focus('.claim summary');
  await page.keyboard.press('Enter');
  seen.keyboard.unfolded = await page.$eval('.claim details', (details) => details.open);
  await page.focus('#open');
  await page.keyboard.press('Enter');
  seen.keyboard.allUnfolded = await page.$$eval('.claim details', (all) => all.every((details) => details.open));
  await page.context().close();
}

// Search, filters, links.
{
  const page = await open();
  seen.find = { all: await shown(page), allSaid: await page.textContent('#count') };
  await page.fill('#search', 'aws::rds::dbcluster');
  seen.find.byType = await shown(page);
  seen.find.said = await page.textContent('#count');
  seen.find.groups = await page.$$eval('.source', (all) => all.filter((source) => source.checkVisibility()).map((source) => source.id));
  await page.fill('#search', 'no such words');
  seen.find.nothing = { shown: await shown(page), said: await page.isVisible('#nothing') };
  await clear(page);
  seen.find.cleared = (await shown(page)).length;
  await page.check('input[value=HOLDS]');
  await page.check('input[value=ATTEST]');
  seen.find.twoStatuses = await shown(page);
  await page.selectOption('#topic', 'organization');
  seen.find.andTopic = await shown(page);
  await page.evaluate(() => { location.hash = '#parim-06'; });
  await page.waitForFunction(() => document.getElementById('parim-06').checkVisibility());
  seen.find.linkShowsAll = (await shown(page)).length;
  await page.click('.tile.PARTIAL');
  seen.find.tile = await shown(page);
  await page.click('td a[data-only]');
  seen.find.cell = await shown(page);
  await page.context().close();
  const deep = await open({}, '#paralegent-11');
  seen.find.deep = await deep.$eval('#paralegent-11', (claim) => {
    const { top } = claim.getBoundingClientRect();
    return top >= 0 && top < innerHeight;
  });
  await deep.context().close();
}

// Themes.
{
  const page = await open({ colorScheme: 'dark' });
  seen.theme = { dark: await background(page) };
  await page.click('#theme');
  seen.theme.toggled = await background(page);
  await page.reload();
  seen.theme.kept = await background(page);
  await page.context().close();
  const light = await open({ colorScheme: 'light' });
  seen.theme.light = await background(light);
  await light.context().close();
}

// Without script, and on paper.
{
  const page = await open({ javaScriptEnabled: false });
  seen.scriptless = { claims: await page.locator('.claim:visible').count(), form: await page.locator('#find:visible').count() };
  await page.context().close();
  const paper = await open({ colorScheme: 'dark' });
  await paper.emulateMedia({ media: 'print' });
  seen.print = {
    background: await background(paper),
    hidden: await paper.$$eval('nav, #find, #theme', (all) => all.every((element) => !element.checkVisibility())),
    claims: (await shown(paper)).length,
  };
  seen.print.bytes = (await paper.pdf({ format: 'A4' })).length;
  seen.pictures = await paper.$$eval('figure img', (all) => all.map((image) => image.complete && image.naturalWidth > 0));
  await paper.context().close();
}

await browser.close();
process.stdout.write(JSON.stringify(seen));
