import { mount } from '@vue/test-utils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { VueWrapper } from '@vue/test-utils';
import type { KioskView } from '@qingting/client';
import Kiosk from '../src/app/Kiosk.vue';
import * as sample from '../src/dev/sample';
import { createTexts } from '../src/i18n';
import type { Bench } from './support';
import { bench, soon } from './support';

let b: Bench<VueWrapper>;
let screen: VueWrapper;

beforeEach(async () => {
  vi.useFakeTimers();
  b = await bench((connection) =>
    mount(Kiosk, { props: { connection }, global: { plugins: [createTexts()] }, attachTo: document.body }),
  );
  screen = b.made;
});

afterEach(() => {
  screen.unmount();
  b.stop();
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

describe('the ways to show who one is', () => {
  it('are those that work here now, as they come and go', async () => {
    const now = b.hall.now;
    const offer = async (changes: Partial<KioskView>): Promise<void> => {
      b.hall.set('kiosk:k1', 'kiosk', { ...sample.kiosk(now), ...changes });
      await soon();
    };
    const shown = (): unknown[] =>
      screen.findAll('[data-way]').map((one) => one.attributes('data-way'));
    await offer({ ways: ['card', 'code'] });
    await press('take');
    await choose('gaj');
    await choose('id-renew');
    expect(screen.get('[data-act="proceed"]').text()).toContain('刷身份证或扫市民码');
    await press('proceed');
    expect(screen.text()).toContain('码会送到市民码平台核对');
    await press('agree');
    expect(shown()).toEqual(['card', 'code']);
    await offer({ ways: ['card'], code_down: true });
    expect(shown()).toEqual(['card']);
    expect(screen.get('[data-note="code-down"]').text()).toContain('市民码服务暂时连不上，请刷身份证');
    await offer({ ways: ['code'] });
    expect(shown()).toEqual(['code']);
    expect(screen.find('[data-note="code-down"]').exists()).toBe(false);
    b.hall.push({ type: 'identity.checking', way: 'code' });
    await soon();
    expect(screen.get('[role="status"]').text()).toContain('正在核对市民码');
    b.hall.push({ type: 'identity.refused', problem: { code: 'citizen_code.expired', params: {} }, waiting: true });
    await soon();
    expect(screen.get('[role="status"]').text()).toContain('不用按键');
    expect(screen.find('[data-act="again"]').exists()).toBe(false);
    await offer({ ways: ['card', 'code', 'face'] });
    expect(shown()).toEqual(['card', 'code', 'face']);
    expect(screen.get('h1').text()).toBe('请选一种方式亮明身份');
    await press('face');
    expect(screen.get('[role="status"]').text()).toContain('请看着终端');
    expect(screen.get('[data-act="face-stop"]').text()).toContain('不刷脸了');
    await offer({ ways: ['face'] });
    await press('face-stop');
    expect(screen.get('[role="status"]').text()).toContain('请点“开始刷脸”');
  });

  it('come after an item: a citizen code on the first screen leads to the items', async () => {
    b.hall.push({ type: 'code.refused', problem: { code: 'code.pick_first', params: {} } });
    await soon();
    expect(screen.get('h1').text()).toBe('请先选要办的事');
    await press('pick');
    expect(screen.find('[data-choice="gaj"]').exists()).toBe(true);
  });
});
