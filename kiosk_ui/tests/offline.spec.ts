import { mount } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VueWrapper } from '@vue/test-utils';
import type { IdentityRead, OfflineState, Problem } from '@qingting/client';
import Kiosk from '../src/app/Kiosk.vue';
import * as sample from '../src/dev/sample';
import { createTexts } from '../src/i18n';
import type { Bench } from './support';
import { CARD, bench, soon } from './support';

/** The agent on the kiosk's machine, as its screen sees it. */
class FakeAgent {
  down = false;
  problem: Problem | null = null;
  identity: IdentityRead | null = null;
  printer: 'ready' | 'lost' = 'ready';
  readonly asked: { path: string; secret: string | null; body: unknown }[] = [];
  private readonly numbers = new Map<string, string>();

  readonly fetch = async (input: string, init: RequestInit): Promise<Response> => {
    if (this.down) throw new TypeError('Failed to fetch');
    const path = new URL(input).pathname;
    const body: unknown = init.body === undefined ? undefined : JSON.parse(init.body as string);
    this.asked.push({ path, secret: new Headers(init.headers).get('X-Agent-Secret'), body });
    if (path === '/take' && this.problem !== null) return Response.json(this.problem, { status: 503 });
    return Response.json(path === '/state' ? this.state() : path === '/take' ? this.take(body) : null);
  };

  count(path: string): number {
    return this.asked.filter((one) => one.path === path).length;
  }

  private take(body: unknown): unknown {
    const { key } = body as { key: string };
    const number = this.numbers.get(key) ?? `A${9001 + this.numbers.size}`;
    this.numbers.set(key, number);
    return { ticket: `t-${number}`, number, staff: null, staff_name: null, window: null, scan: null };
  }

  private state(): OfflineState {
    const now = Date.now();
    return {
      problem: this.problem,
      now,
      items: sample.items,
      peripherals: sample.sound(now).map((one) =>
        one.kind === 'printer' ? { ...one, state: this.printer } : one,
      ),
      identity: this.identity,
      refused: null,
      owed: 0,
      tickets: [...this.numbers.values()].map((number) => ({
        ...sample.ticket(`t-${number}`, number, 'id-lost', now),
        print_state: 'printed' as const,
        wait: null,
        ahead: 0,
      })),
    };
  }
}

let agent: FakeAgent;
let b: Bench<VueWrapper>;
let screen: VueWrapper;

beforeEach(async () => {
  vi.useFakeTimers();
  agent = new FakeAgent();
  vi.stubGlobal('fetch', agent.fetch);
  b = await bench((connection) =>
    mount(Kiosk, { props: { connection }, global: { plugins: [createTexts()] }, attachTo: document.body }),
  );
  screen = b.made;
  b.hall.push({ type: 'offline.offer', port: 8790, secret: 's-1' });
  await soon();
});

afterEach(() => {
  screen.unmount();
  b.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function press(act: string): Promise<void> {
  await screen.get(`[data-act="${act}"]`).trigger('click');
  await soon();
}

async function choose(id: string): Promise<void> {
  await screen.get(`[data-choice="${id}"]`).trigger('click');
  await soon();
}

async function cut(): Promise<void> {
  b.hall.down = true;
  b.hall.drop();
  await soon(9_000);
}

async function takeFree(): Promise<void> {
  await press('take');
  await choose('gaj');
  await choose('id-lost');
  await press('proceed');
  await soon(800);
}

describe('a kiosk that is cut off', () => {
  it('asks nothing of the agent while the hall is there or only blinks', async () => {
    await soon(5_000);
    b.hall.drop();
    await soon(2_000);
    expect(agent.asked).toEqual([]);
  });

  it('goes on by itself, says so, and gives a number without pretending to know the wait', async () => {
    await cut();
    expect(screen.text()).toContain('大厅网络中断，这台机器仍可取号');
    expect(screen.find('[data-act="booking"]').exists()).toBe(false);
    await takeFree();
    expect(screen.get('[data-number]').text()).toBe('A9001');
    expect(screen.text()).toContain('大厅网络中断，暂时无法估计等候');
    expect(screen.text()).not.toContain('前面还有');
    expect(agent.asked.every(({ secret }) => secret === 's-1')).toBe(true);
    expect(b.hall.count('ticket.take')).toBe(0);
  });

  it('reads a card through the agent and forgets it with the citizen', async () => {
    await cut();
    await press('take');
    await choose('gaj');
    await choose('id-renew');
    await press('proceed');
    await press('agree');
    agent.identity = CARD;
    await soon(1_500);
    expect(screen.text()).toContain('王*民');
    await screen.get('[data-nav="home"]').trigger('click');
    agent.identity = null;
    await soon(800);
    expect(screen.html()).not.toContain('王*民');
    expect(agent.count('/identity/end')).toBe(1);
  });

  it('is the hall’s again once that is back and nobody is in the middle of something', async () => {
    await cut();
    await press('take');
    b.hall.down = false;
    await soon(9_000);
    expect(screen.text()).toContain('大厅网络中断');
    await screen.get('[data-nav="home"]').trigger('click');
    await soon(800);
    expect(screen.text()).not.toContain('大厅网络中断');
    await takeFree();
    expect(b.hall.count('ticket.take')).toBe(1);
  });

  it('repeats a press whose answer was lost with the same key', async () => {
    await cut();
    await press('take');
    await choose('gaj');
    await choose('id-lost');
    agent.down = true;
    await screen.get('[data-act="proceed"]').trigger('click');
    await soon(100);
    agent.down = false;
    await press('retry');
    await soon(800);
    expect(screen.get('[data-number]').text()).toBe('A9001');
  });

  it('says honestly when its numbers are used up or its printer is out', async () => {
    agent.problem = { code: 'lease.none', params: {} };
    await cut();
    expect(screen.text()).toContain('没有今天可用的预留号码');
    agent.problem = null;
    agent.printer = 'lost';
    await soon(800);
    expect(screen.text()).toContain('暂停服务');
    agent.printer = 'ready';
    await soon(800);
    expect(screen.find('[data-act="take"]').exists()).toBe(true);
  });

  it('waits for the hall when the agent does not answer either', async () => {
    agent.down = true;
    await cut();
    expect(screen.text()).toContain('正在恢复与大厅的连接');
    agent.down = false;
    await soon(800);
    expect(screen.find('[data-act="take"]').exists()).toBe(true);
    agent.down = true;
    await soon(6_000);
    expect(screen.text()).toContain('正在恢复与大厅的连接');
  });
});
