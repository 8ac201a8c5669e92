/*
 * Scrolls through a feed and says what it costs; see bench/README.md.
 *
 *     node scroll.mjs ADDRESS [--parts] [--minutes N] [CARDS [PIXELS]]
 *
 * Two things are told of each frame: when it came, and how long the page's
 * main thread was at work for it, in CPU time, which other programs on the
 * machine and a display made in software do not add to.  The trace that tells
 * it has the tasks of threads and nothing else, since what it writes down it
 * also costs; --parts has what was done in them too, and costs more.
 */

import { parseArgs } from 'node:util';
import { launch, open } from './browser.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    parts: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '60' },
  },
});
const [address, wanted = '10000', pixels = '90'] = positionals;
const CARDS = Number(wanted);
const STEP = Number(pixels);
const END = Date.now() + Number(values.minutes) * 60_000;
const WARM = 300;               // cards, before anything counts
const SLICE = 1000;             // of them in one trace, and between two heaps
const LONG = 50;                // ms

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

/*
 * One step a frame, until so many cards have been there.  Where it is is asked
 * seldom, after the step, which has laid the page out anyway.
 */
function scrollTo(cards) {
  return page.evaluate(([step, until, ms]) => new Promise((resolve) => {
    const begun = performance.now();
    const times = [];
    const wall = document.querySelector('[role=feed]');
    let height = 0;
    let still = 0;
    const done = (now, why) => {
      const last = Number(wall.lastElementChild
        ?.firstElementChild?.getAttribute('aria-posinset'));
      const end = document.documentElement.scrollHeight;
      still = end === height && window.scrollY + window.innerHeight >= end - 1
        ? still + 1 : 0;
      height = end;
      if (last >= until || still > 300 || now > begun + ms) {
        resolve({
          begun, times, last,
          over: still > 300 ? 'the feed ended' : last < until && 'time is up',
        });
        return true;
      }
      return false;
    };
    performance.mark('begun', { startTime: begun });
    const go = () => {
      const now = performance.now();
      times.push(now);
      window.scrollBy(0, step);
      if (times.length % 10 !== 0 || !done(now)) {
        requestAnimationFrame(go);
      }
    };
    requestAnimationFrame(go);
  }), [STEP, cards, END - Date.now()]);
}

/* What threads did meanwhile. */
async function traced(run) {
  const events = [];
  const take = ({ value }) => {
    for (const event of value) {
      if (event.ph === 'X' || event.name === 'begun') {
        events.push(event);
      }
    }
  };
  cdp.on('Tracing.dataCollected', take);
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: {
      recordMode: 'recordAsMuchAsPossible',
      includedCategories: ['toplevel', 'blink.user_timing',
        ...(values.parts ? ['v8', 'devtools.timeline',
                            'disabled-by-default-v8.gc'] : [])],
      excludedCategories: ['*'],
    },
  });
  const result = await run();
  const done = new Promise((resolve) => {
    cdp.once('Tracing.tracingComplete', resolve);
  });
  await cdp.send('Tracing.end');
  await done;
  cdp.off('Tracing.dataCollected', take);
  return { result, events };
}

/* CPU ms of the main thread from each frame to the next; and of its parts. */
function framesOf({ begun, times }, events) {
  const mark = events.find(({ name }) => name === 'begun');
  if (!mark) {
    throw new Error('the trace does not say when it begun');
  }
  const shift = mark.ts - begun * 1000;
  const starts = times.map((ms) => ms * 1000 + shift);
  const frames = times.map(() => ({ ms: 0, tasks: [], parts: {} }));
  const ours = events.filter(({ ph, pid, tid }) => (
    ph === 'X' && pid === mark.pid && tid === mark.tid))
    .sort((a, b) => a.ts - b.ts);
  let i = 0;
  for (const { name, ts, dur, tdur = dur } of ours) {
    const task = /RunTask$/.test(name);
    // A frame begins within a task, which is all of that frame.
    const at = task ? ts + dur : ts;
    while (task && i + 1 < starts.length && starts[i + 1] <= at) {
      i++;
    }
    const frame = frames[i];
    if (task) {
      frame.ms += tdur / 1000;
      frame.tasks.push([dur / 1000, tdur / 1000]);
    } else {
      frame.parts[name] = (frame.parts[name] ?? 0) + tdur / 1000;
    }
  }
  // The first and the last are not whole.
  return frames.slice(1, -1);
}

function say(name, numbers) {
  console.log(name.padEnd(34)
    + numbers.map((n) => n.toFixed(1).padStart(8)).join(''));
}

function most(parts, count) {
  return Object.entries(parts).sort((a, b) => b[1] - a[1]).slice(0, count)
    .map(([name, ms]) => `${name} ${ms.toFixed(ms < 100 ? 1 : 0)}`).join(', ');
}

await page.goto(`${address}/feed?query=sofa`);
await page.waitForSelector('article[data-id]');
await scrollTo(WARM);

const heaps = [[WARM, await heap()]];
const wall = [];
const frames = [];
let last = WARM;
for (let cards = SLICE; cards <= CARDS; cards += SLICE) {
  const { result, events } = await traced(() => scrollTo(cards));
  const { times } = result;
  wall.push(...times.slice(1).map((ms, i) => ms - times[i]));
  frames.push(...framesOf(result, events));
  last = result.last;
  heaps.push([last, await heap()]);
  process.stderr.write(`scroll: ${last} cards\n`);
  if (result.over) {
    console.log(`${result.over} at ${last} cards`);
    break;
  }
}

const cpu = frames.map(({ ms }) => ms);
const tasks = frames.flatMap((frame) => frame.tasks);
const over = (numbers) => numbers.filter((ms) => ms > LONG).length;
console.log(`${last} cards, ${STEP} pixels a frame, ${wall.length} frames`);
console.log('ms'.padEnd(34)
  + ['p50', 'p95', 'p99', 'max'].map((name) => name.padStart(8)).join(''));
say('from frame to frame', quantiles(wall));
say('main thread in a frame (CPU)', quantiles(cpu));
say('a task of it (CPU)', quantiles(tasks.map(([, thread]) => thread)));
console.log(`frames after more than ${LONG} ms: ${over(wall)}`);
console.log(`tasks longer than ${LONG} ms: `
  + `${over(tasks.map(([ms]) => ms))} by the clock, `
  + `${over(tasks.map(([, thread]) => thread))} in CPU time`);
console.log(`frames with more than ${LONG} ms of CPU time: ${over(cpu)}`);
if (values.parts) {
  const parts = {};
  for (const frame of frames) {
    for (const [name, ms] of Object.entries(frame.parts)) {
      parts[name] = (parts[name] ?? 0) + ms / frames.length;
    }
  }
  console.log(`CPU ms of a frame by what was done (nested): ${most(parts, 16)}`);
  for (const frame of [...frames].sort((a, b) => b.ms - a.ms).slice(0, 8)) {
    console.log(`one of ${frame.ms.toFixed(1)}: ${most(frame.parts, 10)}`);
  }
}
for (const [cards, { MB, nodes, listeners }] of heaps) {
  console.log(`${String(cards).padStart(6)} cards: heap ${MB.toFixed(1)} MB, `
    + `${nodes} nodes, ${listeners} listeners`);
}
console.log(`console: ${said.length === 0 ? 'nothing' : said.join('\n')}`);
await browser.close();
