/*
 * Which cards have come to rest: one clock for all of them, that runs while any
 * waits.  A feed that flies by faster than anybody looks holds it up.
 */

const TICK = 60;        // ms
const MOST = 12;        // calls in one of them
const QUIET = 300;      // without scrolling
const LONG = 3000;      // as good as quiet
const FLIGHT = 3;       // heights of the window in a second

interface Waiting {
  since: number;
  ms: number;
  quiet: boolean;
  call: () => void;
}

const waiting = new Set<Waiting>();
let timer: ReturnType<typeof setInterval> | undefined;
let moved = 0;          // when it was scrolled last
let place = 0;          // and to where
let ticked = 0;         // when the clock ticked last
let before = 0;         // and where it was then

function scrolled(): void {
  moved = performance.now();
  // Before others have changed the page, so it need not be laid out for us.
  place = window.scrollY;
}

function tick(): void {
  const now = performance.now();
  const flies = Math.abs(place - before) * 1000
    > FLIGHT * window.innerHeight * (now - ticked);
  let calls = 0;

  before = place;
  ticked = now;
  if (flies) {
    return;
  }
  for (const one of waiting) {
    const age = now - one.since;
    if (age >= one.ms
        && (!one.quiet || now - moved >= QUIET || age >= LONG)) {
      waiting.delete(one);
      one.call();
      if (++calls === MOST) {
        break;
      }
    }
  }
  rest();
}

function rest(): void {
  if (waiting.size === 0) {
    clearInterval(timer);
    timer = undefined;
    window.removeEventListener('scroll', scrolled, true);
  }
}

/**
 * Calls back once when somebody has stayed for so many ms, unless the returned
 * function is called before; quiet: and the page is not being scrolled.
 */
export function whenStayed(ms: number, call: () => void, quiet = false):
() => void {
  const one = { since: performance.now(), ms, quiet, call };

  waiting.add(one);
  if (timer === undefined) {
    timer = setInterval(tick, TICK);
    ticked = one.since;
    window.addEventListener('scroll', scrolled, { capture: true, passive: true });
  }
  return () => {
    if (waiting.delete(one)) {
      rest();
    }
  };
}
