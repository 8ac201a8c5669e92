/*
 * The client of the WebSocket at /live: one socket for a page, shared by all
 * who listen to channels, that comes back by itself and misses nothing it can
 * help.  No dependencies; made for browsers, and for programs that hand in a
 * WebSocket of their own.
 *
 *     const live = new LiveClient({ url: '/live' });
 *     const stop = live.subscribe('product:ikea:1', {
 *       message(data) { show(data); },
 *       gap() { refetch(); },            // something was missed for good
 *     });
 *     live.watch(() => show(live.state));
 *
 * The rules:
 *
 * - A socket that is lost is tried again after 1 s x 2^n, give or take a half,
 *   ten times; then the state is "gave-up".  The count begins anew when the
 *   browser is online again, when the page is seen again, and at retry(): then
 *   it connects at once.  It also begins anew when the server has said
 *   something, not when it has merely let us in: one that shuts the door again
 *   is not asked for ever.
 * - Close 1012 (the server restarts or is reloaded) is followed at once, 1013
 *   (come back later) after at least 5 s.
 * - Every 30 s, and when the page is seen or online again, a ping goes out; a
 *   server that says nothing for 10 s after it is taken for dead, whatever the
 *   browser thinks of the connection.
 * - When a socket opens, every channel is subscribed with "since", the last id
 *   that was shown, so the server sends what was missed.  An id that was shown
 *   is not shown again.  Where the server no longer has it all ("recovered"
 *   is false), or counts from the start again, gap() is called.
 * - Ids that skip are no error: of what waits for a slow reader the server
 *   sends the newest price alone.
 * - A message without an id (a position in the queue) is shown, and changes
 *   nothing about what is asked for after a loss.
 * - Messages given to send() while there is no socket wait, 100 at most; a
 *   second never sees more than 40 of ours, since the server closes at 50.
 */

export type LiveData = unknown;

export interface LiveMessage {
  channel: string;
  /** Grows by one per channel; a message that cannot be recovered has none. */
  id?: number;
  /** It is the value as it was when we came: no news. */
  first: boolean;
}

export interface LiveHandlers {
  message(data: LiveData, about: LiveMessage): void;
  /** Messages were missed for good: fetch anew what they would have told. */
  gap?(channel: string): void;
  /** The server has taken the subscription. */
  subscribed?(channel: string): void;
}

export type LiveState =
  /** Nobody listens to anything, or holds the socket. */
  | { status: 'idle' }
  | { status: 'connecting'; tries: number }
  | { status: 'open' }
  /** The next try is at the time `at`, in ms as of Date.now(). */
  | { status: 'waiting'; tries: number; at: number }
  | { status: 'gave-up'; tries: number };

/** What is needed of a WebSocket; a browser's, or that of the package ws. */
export interface Socket {
  /** 0: it opens; 1: open.  It closes some time before it says so. */
  readonly readyState?: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** What is needed of a window: events of the page's coming and going. */
export interface Surroundings {
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
  document?: {
    visibilityState: string;
    addEventListener(type: string, listener: (event: Event) => void): void;
    removeEventListener(type: string, listener: (event: Event) => void): void;
  };
}

export interface LiveOptions {
  /** ws:, wss:, http:, https:, or a path on the page's own host. */
  url: string;
  open?: (url: string) => Socket;
  surroundings?: Surroundings;
  random?: () => number;
  /** Milliseconds between a ping and its pong. */
  onLatency?: (ms: number) => void;
  /** The server's "error" messages: a fault of this program. */
  onError?: (code: string, message: string) => void;
}

const FIRST_DELAY = 1000;
const TRIES = 10;
const LATER = 5000;             // after Close 1013, at least
const PROMPT = 200;             // after Close 1012, at most
const HEARTBEAT = 30_000;
const SILENCE = 10_000;         // a ping's answer, and a handshake
const LINGER = 5000;            // a socket that nobody needs
const QUEUE = 100;
const BURST = 40;               // messages of ours in any second
const SECOND = 1000;

interface Channel {
  name: string;
  handlers: Set<LiveHandlers>;
  /** Ids up to this one have been shown. */
  seen: number | undefined;
  /** What to ask for after a loss: undefined is "the value, please". */
  since: number | undefined;
  /** With what "since" this socket was asked; null: not asked yet. */
  asked: number | undefined | null;
  /** "last" of the first subscription, until something was shown. */
  initial: number | undefined;
  /** The newest message, for those who come later. */
  last: { data: LiveData; id: number | undefined } | undefined;
}

type Timer = ReturnType<typeof setTimeout>;

export class LiveClient {
  private readonly options: LiveOptions;
  private readonly around: Surroundings | undefined;
  private readonly channels = new Map<string, Channel>();
  private readonly watchers = new Set<(state: LiveState) => void>();
  private holders = 0;
  private now: LiveState = { status: 'idle' };

  private socket: Socket | undefined;
  private open = false;
  private proven = false;
  private tries = 0;

  private waiting: string[] = [];       // texts for send()
  private readonly told = new Set<string>();    // subscribed on this socket
  private readonly dirty = new Set<string>();   // names to look at in flush()
  private flushing = false;
  private sent: number[] = [];          // when the last ones went out

  private retryTimer: Timer | undefined;
  private beatTimer: Timer | undefined;
  private deadTimer: Timer | undefined;
  private paceTimer: Timer | undefined;
  private lingerTimer: Timer | undefined;

  constructor(options: LiveOptions) {
    this.options = options;
    this.around = options.surroundings
      ?? (typeof window === 'undefined' ? undefined : window);
    this.around?.addEventListener('online', this.wake);
    this.around?.addEventListener('pageshow', this.shown);
    this.around?.addEventListener('pagehide', this.hidden);
    this.around?.document?.addEventListener('visibilitychange', this.seen);
  }

  get state(): LiveState {
    return this.now;
  }

  /** Calls back at every change of the state, until the returned call. */
  watch(watcher: (state: LiveState) => void): () => void {
    this.watchers.add(watcher);
    return () => { this.watchers.delete(watcher); };
  }

  /**
   * Listens to a channel until the returned function is called.  Who comes
   * second is told the newest message right away, from here.
   */
  subscribe(name: string, handlers: LiveHandlers): () => void {
    // An object of our own: the same handlers may come twice.
    const mine = { ...handlers, message: handlers.message.bind(handlers) };
    let channel = this.channels.get(name);

    if (!channel) {
      channel = {
        name,
        handlers: new Set(),
        seen: undefined,
        since: undefined,
        asked: null,
        initial: undefined,
        last: undefined,
      };
      this.channels.set(name, channel);
    }
    channel.handlers.add(mine);
    this.attend(name);

    const { last } = channel;
    if (last) {
      queueMicrotask(() => {
        if (channel.handlers.has(mine)) {
          mine.message(last.data, about(name, last.id, true));
        }
      });
    }

    return () => {
      if (channel.handlers.delete(mine) && channel.handlers.size === 0) {
        this.attend(name);
      }
    };
  }

  /**
   * Has a socket although nobody listens, until the returned call: for a page
   * that says whether it is connected.
   */
  hold(): () => void {
    let held = true;

    this.holders++;
    this.later();
    return () => {
      if (held) {
        held = false;
        this.holders--;
        this.later();
      }
    };
  }

  /** Sends a message of another kind, now or when there is a socket. */
  send(message: object): void {
    this.waiting.push(JSON.stringify(message));
    if (this.waiting.length > QUEUE) {
      this.waiting.shift();
    }
    this.later();
  }

  /** Connects at once, if there is no socket, and counts the tries anew. */
  retry(): void {
    if (this.now.status === 'waiting' || this.now.status === 'gave-up') {
      this.tries = 0;
      this.connect();
    }
  }

  /** Ends it all; the object is of no use any more. */
  close(): void {
    this.around?.removeEventListener('online', this.wake);
    this.around?.removeEventListener('pageshow', this.shown);
    this.around?.removeEventListener('pagehide', this.hidden);
    this.around?.document?.removeEventListener('visibilitychange', this.seen);
    this.channels.clear();
    this.holders = 0;
    this.drop(1000);
    this.become({ status: 'idle' });
    this.watchers.clear();
  }

  /* The page is there again, or its network: look after the socket. */
  private readonly wake = (): void => {
    if (this.open) {
      this.ping();
    } else {
      this.retry();
    }
  };

  private readonly seen = (): void => {
    if (this.around?.document?.visibilityState === 'visible') {
      this.wake();
    }
  };

  private readonly shown = (event: Event): void => {
    if ((event as PageTransitionEvent).persisted) {
      this.wake();
    }
  };

  /* A page with an open socket is not kept for the back button. */
  private readonly hidden = (): void => {
    if (this.socket) {
      this.drop(1001);
      this.become({ status: 'waiting', tries: 0, at: Date.now() });
    }
  };

  private become(state: LiveState): void {
    const same = JSON.stringify(state) === JSON.stringify(this.now);
    this.now = state;
    if (!same) {
      for (const watcher of [...this.watchers]) {
        watcher(state);
      }
    }
  }

  private connect(): void {
    this.drop(1000);
    this.proven = false;
    this.become({ status: 'connecting', tries: this.tries });

    const socket = (this.options.open ?? ((url) => new WebSocket(url)))(
      address(this.options.url));
    this.socket = socket;
    socket.onopen = () => { this.opened(); };
    socket.onmessage = (event: { data: unknown }) => {
      this.received(event.data);
    };
    // The close that follows says as much as an error may tell a page.
    socket.onerror = () => {};
    socket.onclose = (event: { code: number }) => { this.lost(event.code); };

    this.deadTimer = setTimeout(() => { this.lost(1006); }, SILENCE);
  }

  /* Lets go of the socket without waiting for it: it may be dead. */
  private drop(code: number): void {
    const { socket } = this;

    for (const timer of [this.retryTimer, this.beatTimer, this.deadTimer,
                         this.paceTimer, this.lingerTimer]) {
      clearTimeout(timer);
    }
    this.paceTimer = undefined;
    this.deadTimer = undefined;
    this.open = false;
    this.told.clear();
    this.sent = [];

    if (!socket) {
      return;
    }
    this.socket = undefined;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.onerror = () => {};
    const end = () => {
      try {
        socket.close(code === 1006 ? 1000 : code);
      } catch {
        // 1001 is not for pages to say everywhere; any Close will do.
        socket.close();
      }
    };
    // A browser complains in its console of one that is closed while it opens.
    if (socket.readyState === 0 && code !== 1006) {
      socket.onopen = end;
    } else {
      end();
    }
  }

  private opened(): void {
    clearTimeout(this.deadTimer);
    this.deadTimer = undefined;
    this.open = true;
    // Its answer proves the server, also where nothing is subscribed.
    this.ping();
    for (const name of this.channels.keys()) {
      this.dirty.add(name);
    }
    this.flush();
    this.become({ status: 'open' });
  }

  private lost(code: number): void {
    const prompt = code === 1012 && this.proven;
    const random = this.options.random ?? Math.random;

    this.drop(1006);

    if (!this.needed()) {
      this.become({ status: 'idle' });
      return;
    }
    if (this.tries >= TRIES) {
      this.become({ status: 'gave-up', tries: this.tries });
      return;
    }

    let delay = FIRST_DELAY * 2 ** this.tries * (0.5 + random());
    if (prompt) {
      delay = PROMPT * random();
    } else if (code === 1013) {
      delay = Math.max(delay, LATER * (1 + random()));
    }
    this.tries++;
    this.become({
      status: 'waiting',
      tries: this.tries,
      at: Date.now() + Math.round(delay),
    });
    this.retryTimer = setTimeout(() => { this.connect(); }, delay);
  }

  private needed(): boolean {
    for (const channel of this.channels.values()) {
      if (channel.handlers.size > 0) {
        return true;
      }
    }
    return this.waiting.length > 0 || this.holders > 0;
  }

  private attend(name: string): void {
    this.dirty.add(name);
    this.later();
  }

  /* At the end of this turn, so that who leaves and comes back costs nothing. */
  private later(): void {
    if (!this.flushing) {
      this.flushing = true;
      queueMicrotask(() => {
        this.flushing = false;
        this.flush();
      });
    }
  }

  /* Tells the server what it does not know yet, as far as the pace allows. */
  private flush(): void {
    const needed = this.needed();

    clearTimeout(this.lingerTimer);
    if (!needed) {
      this.linger();
    } else if (this.now.status === 'idle') {
      this.connect();
    }
    for (const name of this.dirty) {
      if (!this.settle(name)) {
        return;
      }
      this.dirty.delete(name);
    }
    while (this.open && this.waiting.length > 0 && this.allowed()) {
      this.transmit(this.waiting.shift() ?? '');
    }
  }

  /* False: not now. */
  private settle(name: string): boolean {
    const channel = this.channels.get(name);
    const told = this.told.has(name);

    if (channel && channel.handlers.size > 0) {
      if (!this.open || told) {
        return true;
      }
      if (!this.allowed()) {
        return false;
      }
      channel.asked = channel.since;
      this.told.add(name);
      this.transmit(JSON.stringify({
        type: 'subscribe',
        channel: name,
        since: channel.since,
      }));
      return true;
    }
    if (told) {
      if (!this.allowed()) {
        return false;
      }
      this.told.delete(name);
      this.transmit(JSON.stringify({ type: 'unsubscribe', channel: name }));
    }
    this.channels.delete(name);
    return true;
  }

  /* Nobody listens: hang up, but not between two pages of a front end. */
  private linger(): void {
    this.lingerTimer = setTimeout(() => {
      this.drop(1000);
      this.tries = 0;
      this.become({ status: 'idle' });
    }, LINGER);
  }

  /* No more than BURST in any second; false: flush() comes back to it. */
  private allowed(): boolean {
    const now = Date.now();
    const first = this.sent[0];

    if (this.paceTimer !== undefined || !this.writable()) {
      return false;
    }
    if (this.sent.length < BURST || first === undefined) {
      return true;
    }
    // A clock that was set back must not hold us up.
    const age = now - first;
    if (age < 0 || age >= SECOND) {
      return true;
    }
    this.paceTimer = setTimeout(() => {
      this.paceTimer = undefined;
      this.flush();
    }, SECOND - age);
    return false;
  }

  private writable(): boolean {
    return (this.socket?.readyState ?? 1) === 1;
  }

  private transmit(text: string): void {
    this.sent.push(Date.now());
    if (this.sent.length > BURST) {
      this.sent.shift();
    }
    this.socket?.send(text);
  }

  /* Also begins the next heartbeat. */
  private ping(): void {
    clearTimeout(this.beatTimer);
    this.beatTimer = setTimeout(() => { this.ping(); }, HEARTBEAT);
    if (this.writable()) {
      this.transmit(JSON.stringify({ type: 'ping', t: Date.now() }));
    }
    // One that runs must not be put off by the next.
    this.deadTimer ??= setTimeout(() => { this.lost(1006); }, SILENCE);
  }

  private received(text: unknown): void {
    let message: unknown;

    clearTimeout(this.deadTimer);
    this.deadTimer = undefined;
    this.proven = true;
    this.tries = 0;

    try {
      message = JSON.parse(String(text));
    } catch {
      return;
    }
    if (typeof message !== 'object' || message === null) {
      return;
    }
    const m = message as Record<string, unknown>;

    switch (m.type) {
      case 'pong':
        if (typeof m.t === 'number') {
          this.options.onLatency?.(Date.now() - m.t);
        }
        break;
      case 'error':
        this.options.onError?.(String(m.code), String(m.message));
        break;
      case 'subscribed':
        this.confirmed(String(m.channel), Number(m.last), m.recovered);
        break;
      default:
        if (typeof m.channel === 'string' && 'data' in m) {
          this.deliver(m.channel, m.id, m.data);
        }
    }
  }

  private confirmed(name: string, last: number, recovered: unknown): void {
    const channel = this.channels.get(name);
    const asked = channel?.asked;
    let gap = false;

    if (!channel || asked === null || !Number.isFinite(last)) {
      return;
    }
    channel.asked = null;

    if (channel.seen !== undefined && last < channel.seen) {
      // It counts from the start again: what follows is all new.
      channel.seen = undefined;
      channel.since = undefined;
      gap = true;
    }
    if (asked !== undefined && recovered === false) {
      channel.since = undefined;
      gap = true;
    }
    if (asked === undefined && channel.last === undefined) {
      channel.initial = last;
    }
    if (asked === undefined || gap) {
      // The value comes next, by the id "last", if this channel has one.
      channel.seen = Math.max(channel.seen ?? -1, last - 1);
      if (!hasValue(name)) {
        channel.seen = last;
        channel.since = last;
      }
    }

    for (const handlers of [...channel.handlers]) {
      handlers.subscribed?.(name);
      if (gap) {
        handlers.gap?.(name);
      }
    }
  }

  private deliver(name: string, id: unknown, data: LiveData): void {
    const channel = this.channels.get(name);
    const number = typeof id === 'number' ? id : undefined;

    if (!channel) {
      return;                           // on its way while we left
    }
    if (number !== undefined) {
      if (channel.seen !== undefined && number <= channel.seen) {
        return;
      }
      channel.seen = number;
      channel.since = number;
    }
    const first = hasValue(name) && channel.initial !== undefined
      && (number ?? 0) <= channel.initial;
    channel.initial = undefined;
    channel.last = hasValue(name) ? { data, id: number } : undefined;
    for (const handlers of [...channel.handlers]) {
      handlers.message(data, about(name, number, first));
    }
  }
}

/* "products" tells what is new and has no value of its own. */
function hasValue(channel: string): boolean {
  return channel.includes(':');
}

function about(channel: string, id: number | undefined, first: boolean):
LiveMessage {
  return id === undefined ? { channel, first } : { channel, id, first };
}

/* Browsers took no path and no http: for a WebSocket until lately. */
function address(url: string): string {
  const base = typeof location === 'undefined' ? undefined : location.href;
  return new URL(url, base).href.replace(/^http/, 'ws');
}
