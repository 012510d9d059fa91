/** Words of the pairing screen, and the code that a page's address may bring along. */
import type { DeviceKind, Language } from './generated/contract';

/** Digits of a pairing code, shown as `1234 5678`. */
export const CODE_LENGTH = 8;

interface PairingWords {
  readonly kinds: Readonly<Record<DeviceKind, string>>;
  readonly title: string;
  readonly steps: readonly string[];
  readonly entered: (count: number) => string;
  readonly busy: string;
  readonly clear: string;
  readonly back: string;
}

export const PAIRING_WORDS: Readonly<Record<Language, PairingWords>> = {
  'zh-CN': {
    kinds: {
      kiosk: '自助取号机',
      agent: '外设代理',
      printer: '打印机',
      id_reader: '身份证读卡器',
      face: '人脸识别终端',
      camera: '摄像头',
      led: 'LED 控制卡',
      speaker: '音箱',
      scanner: '扫码器',
      call_pad: '呼叫平板',
      rating_pad: '评价平板',
      board: '大厅显示屏',
    },
    title: '这台设备还没有配对',
    steps: ['在大厅管理页打开「设备」，点「配对新设备」', '把页面上的 8 位配对码输在这里'],
    entered: (count) => `已输入 ${count} 位，共 8 位`,
    busy: '正在与大厅服务器配对…',
    clear: '清空',
    back: '退格',
  },
  en: {
    kinds: {
      kiosk: 'Ticket kiosk',
      agent: 'Peripheral host',
      printer: 'Printer',
      id_reader: 'ID card reader',
      face: 'Face terminal',
      camera: 'Camera',
      led: 'LED controller',
      speaker: 'Loudspeaker',
      scanner: 'Scanner',
      call_pad: 'Call pad',
      rating_pad: 'Rating pad',
      board: 'Hall board',
    },
    title: 'This device is not paired yet',
    steps: [
      'On the hall manager’s page open “Devices” and press “Pair a device”',
      'Type the 8 digits shown there',
    ],
    entered: (count) => `${count} of 8 digits entered`,
    busy: 'Pairing with the hall server…',
    clear: 'Clear',
    back: 'Back',
  },
};

/**
 * The code of an address like `…/kiosk/#pair=48291307`, taken out of the address bar. The part behind
 * `#` never reaches a server or its logs.
 */
export function offeredCode(place: Location = location): string {
  const code = new URLSearchParams(place.hash.slice(1)).get('pair') ?? '';
  if (code !== '') history.replaceState(null, '', place.pathname + place.search);
  return /^\d{8}$/.test(code) ? code : '';
}
