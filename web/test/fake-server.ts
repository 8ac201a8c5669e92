/*
 * The server's side of /live, as a program can play it in one turn: channels
 * with ids that grow by one, what was published last, and a memory of some
 * messages.  For tests under fake timers; the real one is asked by t/e2e.
 */

import type { Socket, Surroundings } from '../lib/live';

interface Published {
  id: number;
  data: unknown;
}

export class FakeServer {
  /** Every socket that was ever opened, the newest last. */
  readonly sockets: FakeSocket[] = [];
  /** How a new socket is met. */
  mode: 'accept' | 'refuse' | 'silent' = 'accept';
  /** Close it by this code right after it opened. */
  slam: number | undefined;
  /** What can be recovered of a channel. */
  keep = 1000;
  /** It dies between "subscribed" and the value. */
  valueless = false;
  private channels = new Map<string, Published[]>();
  private ids = new Map<string, number>();

  readonly open = (url: string): Socket => {
    const socket = new FakeSocket(this, url);
    this.sockets.push(socket);
    if (this.mode !== 'silent') {
      queueMicrotask(() => { socket.decide(this.mode === 'accept', this.slam); });
    }
    return socket;
  };

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) {
      throw new Error('nobody has connected');
    }
    return socket;
  }

  last(channel: string): number {
    return this.ids.get(channel) ?? 0;
  }

  publish(channel: string, data: unknown): number {
    const id = this.last(channel) + 1;
    this.ids.set(channel, id);
    const messages = this.channels.get(channel) ?? [];
    messages.push({ id, data });
    this.channels.set(channel, messages.slice(-this.keep));
    this.tell(channel, { channel, id, data });
    return id;
  }

  /** As a plain PUBLISH by any program: without an id. */
  mention(channel: string, data: unknown): void {
    this.tell(channel, { channel, data });
  }

  /** Everything is lost, the counters as well. */
  forget(): void {
    this.channels.clear();
    this.ids.clear();
  }

  since(channel: string, since: number): Published[] | undefined {
    const messages = this.channels.get(channel) ?? [];
    const last = this.last(channel);
    if (since > last || (since < last && (messages[0]?.id ?? 0) > since + 1)) {
      return undefined;
    }
    return messages.filter(({ id }) => id > since);
  }

  value(channel: string): Published | undefined {
    return channel.includes(':') && !this.valueless
      ? this.channels.get(channel)?.at(-1) : undefined;
  }

  private tell(channel: string, message: object): void {
    for (const socket of this.sockets) {
      if (socket.subscribed.has(channel)) {
        socket.push(message);
      }
    }
  }
}

export class FakeSocket implements Socket {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  /** What the client has sent. */
  readonly sent: Record<string, unknown>[] = [];
  readonly subscribed = new Set<string>();
  closed: number | undefined;
  readyState = 1;
  /** A peer that is gone without a word. */
  deaf = false;

  constructor(private readonly server: FakeServer, readonly url: string) {}

  decide(accept: boolean, slam: number | undefined): void {
    if (this.closed !== undefined) {
      return;
    }
    if (!accept) {
      this.end(1006);
      return;
    }
    this.onopen?.({} as never);
    if (slam !== undefined) {
      this.end(slam);
    }
  }

  /** The server, or the network, ends it. */
  end(code: number): void {
    this.subscribed.clear();
    this.closed = code;
    this.onclose?.({ code } as never);
  }

  push(message: object): void {
    if (!this.deaf && this.closed === undefined) {
      this.onmessage?.({ data: JSON.stringify(message) } as never);
    }
  }

  send(text: string): void {
    if (this.closed !== undefined || this.deaf) {
      return;
    }
    const message = JSON.parse(text) as Record<string, unknown>;
    this.sent.push(message);
    queueMicrotask(() => { this.answer(message); });
  }

  close(code?: number): void {
    this.subscribed.clear();
    this.closed ??= code ?? 1005;
  }

  of(type: string): Record<string, unknown>[] {
    return this.sent.filter((message) => message.type === type);
  }

  private answer(message: Record<string, unknown>): void {
    const channel = String(message.channel);

    switch (message.type) {
      case 'ping':
        this.push({ type: 'pong', t: message.t });
        break;
      case 'unsubscribe':
        this.subscribed.delete(channel);
        break;
      case 'subscribe': {
        const since = message.since as number | undefined;
        const missed = since === undefined
          ? undefined : this.server.since(channel, since);
        const last = this.server.last(channel);
        this.subscribed.add(channel);
        this.push({
          type: 'subscribed', channel, last, recovered: missed !== undefined,
        });
        const value = this.server.value(channel);
        for (const { id, data } of missed ?? (value ? [value] : [])) {
          this.push({ channel, id, data });
        }
        break;
      }
      default:
        this.push({ type: 'error', code: 'unknown_type', message: 'no' });
    }
  }
}

/** A window whose page can be hidden, shown, and cut from the network. */
export class FakeWindow extends EventTarget implements Surroundings {
  readonly document = Object.assign(new EventTarget(), {
    visibilityState: 'visible',
  });

  show(visible: boolean): void {
    this.document.visibilityState = visible ? 'visible' : 'hidden';
    this.document.dispatchEvent(new Event('visibilitychange'));
  }

  online(): void {
    this.dispatchEvent(new Event('online'));
  }

  leave(): void {
    this.dispatchEvent(new Event('pagehide'));
  }

  comeBack(): void {
    this.dispatchEvent(Object.assign(new Event('pageshow'),
                                     { persisted: true }));
  }
}
