/*
 * Scrolls through a feed and says what it costs; see bench/README.md.
 *
 *     node scroll.mjs ADDRESS [CARDS [PIXELS]]
 *
 * Two things are told of each frame: when it came, and how long the page's
 * main thread was at work for it, in CPU time, which other programs on the
 * machine and a display made in software do not add to.
 */

import { writeFile } from 'node:fs/promises';
import { launch, open } from './browser.mjs';

const [address, wanted = '10000', pixels = '90'] = process.argv.slice(2);
const CARDS = Number(wanted);
const STEP = Number(pixels);
const WARM = 300;               // cards, before anything counts

const browser = await launch();
const { context, page, said } = await open(browser);
const cdp = await context.newCDPSession(page);
await cdp.send('Performance.enable');

async function heap() {
  await cdp.send('HeapProfiler.collectGarbage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const of = (name) => metrics.find((one) => one.name === name).value;
  return {
    MB: of('JSHeapUsedSize') / 1e6, nodes: of('Nodes'),
    listeners: of('JSEventListeners'),
  };
}

function quantiles(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (q) => sorted[Math.min(sorted.length - 1,
                                    Math.floor(q * sorted.length))] ?? NaN;
  return [.5, .95, .99, 1].map(at);
}

/* One step a frame, until so many cards have been there. */
function scrollTo(cards) {
  return page.evaluate(([step, until]) => new Promise((resolve) => {
    const frames = [];
    let before = performance.now();
    let waited = 0;
    let height = 0;
    const wall = document.querySelector('[role=feed]');
    const go = () => {
      const now = performance.now();
      performance.mark('frame');
      frames.push(now - before);
      before = now;
      const last = Number(wall.lastElementChild
        ?.firstElementChild?.getAttribute('aria-posinset'));
      const end = document.documentElement.scrollHeight;
      waited = end === height ? waited : 0;
      height = end;
      if (last >= until) {
        resolve({ frames, last });
        return;
      }
      if (window.scrollY + window.innerHeight >= end - 1 && ++waited > 3000) {
        resolve({ frames, last, ended: true });
        return;
      }
      window.scrollBy(0, step);
      requestAnimationFrame(go);
    };
    requestAnimationFrame(go);
  }), [STEP, cards]);
}

/* The main thread's tasks, and what was done in them, from a trace. */
async function traced(run) {
  const events = [];
  cdp.on('Tracing.dataCollected', ({ value }) => {
    for (const event of value) {
      if (event.ph === 'X' || event.ph === 'I' || event.ph === 'R'
          || event.ph === 'M') {
        events.push(event);
      }
    }
  });
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: {
      recordMode: 'recordAsMuchAsPossible',
      includedCategories: ['toplevel', 'blink.user_timing', 'v8',
        'devtools.timeline', 'disabled-by-default-v8.gc'],
      excludedCategories: ['*'],
    },
  });
  const result = await run();
  const done = new Promise((resolve) => {
    cdp.once('Tracing.tracingComplete', resolve);
  });
  await cdp.send('Tracing.end');
  await done;
  cdp.removeAllListeners('Tracing.dataCollected');
  return { result, events };
}

function tasksOf(events) {
  const mark = events.find(({ name, cat }) => (
    name === 'frame' && cat.includes('blink.user_timing')));
  if (!mark) {
    return { tasks: [], frames: [], parts: {} };
  }
  const ours = events.filter(({ pid, tid }) => pid === mark.pid && tid === mark.tid);
  const marks = ours.filter(({ name }) => name === 'frame')
    .map(({ ts }) => ts).sort((a, b) => a - b);
  const tasks = ours.filter(({ name, ph }) => (
    ph === 'X' && /RunTask$/.test(name)))
    .sort((a, b) => a.ts - b.ts);
  const frames = new Array(marks.length).fill(0);
  let i = 0;
  for (const { ts, dur, tdur } of tasks) {
    while (i + 1 < marks.length && marks[i + 1] <= ts + dur) {
      i++;
    }
    frames[i] += (tdur ?? dur) / 1000;
  }
  const parts = {};
  for (const { name, ph, tdur, dur } of ours) {
    if (ph === 'X' && !/RunTask$/.test(name)) {
      parts[name] = (parts[name] ?? 0) + (tdur ?? dur) / 1000;
    }
  }
  return {
    tasks: tasks.map(({ dur, tdur }) => [(dur) / 1000, (tdur ?? dur) / 1000]),
    frames: frames.slice(1), parts,
  };
}

function say(name, numbers) {
  console.log(name.padEnd(34)
    + numbers.map((n) => n.toFixed(1).padStart(8)).join(''));
}

await page.goto(`${address}/feed?query=sofa`);
await page.waitForSelector('article[data-id]');
await scrollTo(WARM);

const heaps = [[WARM, await heap()]];
const wall = [];
const cpu = [];
const tasks = [];
const parts = {};
let last = WARM;
for (let cards = 1000; cards <= CARDS; cards += 1000) {
  const { result, events } = await traced(() => scrollTo(cards));
  wall.push(...result.frames.slice(1));
  const thread = tasksOf(events);
  cpu.push(...thread.frames);
  tasks.push(...thread.tasks);
  for (const [name, ms] of Object.entries(thread.parts)) {
    parts[name] = (parts[name] ?? 0) + ms;
  }
  last = result.last;
  heaps.push([cards, await heap()]);
  if (process.env.SCROLL_TRACE) {
    await writeFile(process.env.SCROLL_TRACE, JSON.stringify(events));
  }
  process.stderr.write(`scroll: ${cards} cards\n`);
  if (result.ended) {
    console.log(`the feed ended at ${last} cards`);
    break;
  }
}

console.log(`${last} cards, ${STEP} pixels a frame, ${wall.length} frames`);
console.log('ms'.padEnd(34)
  + ['p50', 'p95', 'p99', 'max'].map((name) => name.padStart(8)).join(''));
say('from frame to frame', quantiles(wall));
say('main thread in a frame (CPU)', quantiles(cpu));
say('a task of it (CPU)', quantiles(tasks.map(([, thread]) => thread)));
console.log(`frames after more than 50 ms: ${wall.filter((ms) => ms > 50).length}`);
console.log('tasks longer than 50 ms: '
  + `${tasks.filter(([ms]) => ms > 50).length} by the clock, `
  + `${tasks.filter(([, ms]) => ms > 50).length} in CPU time`);
console.log('frames with more than 50 ms of CPU time: '
  + `${cpu.filter((ms) => ms > 50).length}`);
console.log('CPU ms by what was done (nested): ' + Object.entries(parts)
  .sort((a, b) => b[1] - a[1]).slice(0, 12)
  .map(([name, ms]) => `${name} ${Math.round(ms)}`).join(', '));
for (const [cards, { MB, nodes, listeners }] of heaps) {
  console.log(`${String(cards).padStart(6)} cards: heap ${MB.toFixed(1)} MB, `
    + `${nodes} nodes, ${listeners} listeners`);
}
console.log(`console: ${said.length === 0 ? 'nothing' : said.join('\n')}`);
await browser.close();
