// @vitest-environment jsdom

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LiveStatus } from '../components/LiveStatus';
import { LiveClient } from '../lib/live';
import { flush, measures } from '../lib/telemetry';
import { FakeServer, FakeWindow } from './fake-server';

let server: FakeServer;
let client: LiveClient;
let queries: QueryClient;
let health: [number, object];
let beacons: number;

vi.mock('../lib/live-client', () => ({ live: () => client }));
vi.mock('../lib/toast', () => ({ tell: () => {}, untell: () => {} }));

async function settle(ms = 0): Promise<void> {
  await act(() => vi.advanceTimersByTimeAsync(ms));
}

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer();
  queries = new QueryClient();
  client = new LiveClient({
    url: 'http://shop.example/live', open: server.open,
    surroundings: new FakeWindow(), random: () => 0.5,
  });
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(
    JSON.stringify(health[1]),
    { status: health[0], headers: { 'Content-Type': 'application/json' } })));
  health = [200, { status: 'ready', providers: {}, redis: 'ok' }];
  beacons = 0;
  vi.stubGlobal('navigator', { sendBeacon: () => { beacons++; } });
  await settle();
});

afterEach(() => {
  cleanup();
  client.close();
  queries.clear();
  vi.useRealTimers();
});

async function show(): Promise<() => [string | null, string | undefined]> {
  render(
    <QueryClientProvider client={queries}><LiveStatus /></QueryClientProvider>);
  await settle();
  return () => {
    const status = screen.getByRole('status');
    return [status.textContent,
            status.closest<HTMLElement>('[data-status]')?.dataset.status];
  };
}

it('says that updates pause while Redis is away, and that they go on', async () => {
  const shown = await show();
  expect(shown()).toEqual(['Live', 'open']);
  health = [200, { status: 'ready', redis: 'away' }];
  await settle(31_000);
  expect(shown()).toEqual(['Updates paused', 'paused']);
  health = [200, { status: 'ready', redis: 'ok' }];
  await settle(10_000);
  expect(shown()).toEqual(['Live', 'open']);
});

it('takes the socket for live where nothing else is told', async () => {
  health = [200, { status: 'ready' }];          // without Redis
  const shown = await show();
  expect(shown()).toEqual(['Live', 'open']);
});

it('says so until it hears otherwise, or may not ask any more', async () => {
  health = [200, { status: 'ready', redis: 'away' }];
  const shown = await show();
  health = [503, { status: 503, code: 'not_ready', detail: 'no' }];
  await settle(31_000);
  expect(shown()).toEqual(['Updates paused', 'paused']);
  health = [403, {}];
  await settle(31_000);
  expect(shown()).toEqual(['Live', 'open']);
});

it('measures nothing of what it asks by itself', async () => {
  await show();
  await settle(120_000);
  flush();
  expect(measures('api_time')).toEqual([]);
  expect(beacons).toBe(0);
});

it('says nothing of Redis without a socket', async () => {
  health = [200, { status: 'ready', redis: 'away' }];
  const shown = await show();
  expect(shown()).toEqual(['Updates paused', 'paused']);
  server.mode = 'refuse';
  act(() => { server.socket.end(1006); });
  await settle(3000);
  expect(shown()[1]).toBe('waiting');
});
