/** A small hall for previews: invented queues, real shapes. Never part of a shipped bundle. */
import type {
  BoardRow,
  BoardSay,
  BoardScreen,
  Content,
  Frame,
  Segment,
  Track,
  Zone,
  ClassView,
  DepartmentView,
  DeviceView,
  ItemView,
  KioskTicket,
  KioskView,
  QueueView,
} from '@qingting/client';

const DEPARTMENTS: readonly (readonly [string, string, string, string])[] = [
  ['gaj', '公安', 'Public Security Bureau', 'police'],
  ['rsj', '人社', 'Human Resources and Social Security Bureau', 'people'],
  ['ybj', '医保', 'Healthcare Security Bureau', 'insurance'],
  ['zrzy', '自然资源', 'Natural Resources Bureau', 'land'],
  ['gjj', '公积金', 'Housing Provident Fund Centre', 'house'],
  ['scjg', '市场监管', 'Market Regulation Administration', 'market'],
  ['zjj', '住建', 'Housing and Construction Bureau', 'city'],
  ['jtj', '交通运输', 'Transport Bureau', 'bus'],
  ['wjw', '卫生健康', 'Health Commission', 'health'],
  ['yjj', '应急管理', 'Emergency Management Bureau', 'safety'],
  ['fgw', '发展改革', 'Development and Reform Commission', 'plan'],
  ['cgj', '城市管理', 'Urban Management Bureau', 'building'],
  ['rfb', '人民防空', 'Civil Air Defence Office', 'shelter'],
];

export const departments: readonly DepartmentView[] = DEPARTMENTS.map(
  ([id, short_name, name_en, icon]) => ({
    id,
    name: `大庆市${short_name}部门`,
    name_en,
    short_name,
    icon,
    items: id === 'gaj' ? 10 : 6,
  }),
);

const ITEMS: readonly (readonly [string, string, string, string, string, string, number])[] = [
  ['id-renew', '居民身份证换领', 'Resident ID card renewal', 'gaj', 'juminshenfenzhenghuanling huanshenfenzheng', 'jmsfzhl hsfz', 20],
  ['id-first', '居民身份证首次申领', 'First resident ID card', 'gaj', 'juminshenfenzhengshoucishenling', 'jmsfzscsl', 20],
  ['id-lost', '居民身份证丢失补领', 'Replacement of a lost resident ID card', 'gaj', 'juminshenfenzhengdiushibuling', 'jmsfzdsbl', 20],
  ['birth', '出生登记', 'Birth registration', 'gaj', 'chushengdengji', 'csdj', 0],
  ['move', '户口迁移', 'Moving a household registration', 'gaj', 'hukouqianyi', 'hkqy', 5],
  ['residence', '居住证申领', 'Residence permit', 'gaj', 'juzhuzhengshenling', 'jzzsl', 15],
  ['passport', '普通护照签发', 'Passport', 'gaj', 'putonghuzhaoqianfa', 'pthzqf', 7],
  ['hk-pass', '往来港澳通行证签发', 'Permit for Hong Kong and Macao', 'gaj', 'wanglaigangaotongxingzhengqianfa', 'wlgatxzqf', 7],
  ['name-change', '变更姓名', 'Change of name', 'gaj', 'biangengxingming', 'bgxm', 10],
  ['seal', '公章刻制备案', 'Registration of an official seal', 'gaj', 'gongzhangkezhibeian', 'gzkzba', 1],
  ['pension', '养老保险待遇申领', 'Old-age pension', 'rsj', 'yanglaobaoxiandaiyushenling', 'ylbxdysl', 15],
  ['social-card', '社会保障卡补换', 'Replacement of a social security card', 'rsj', 'shehuibaozhangkabuhuan', 'shbzkbh', 0],
  ['medical', '异地就医备案', 'Treatment outside the city', 'ybj', 'yidijiuyibeian', 'ydjyba', 0],
  ['property', '不动产转移登记', 'Transfer of real estate', 'zrzy', 'budongchanzhuanyidengji', 'bdczydj', 3],
  ['fund', '购房提取住房公积金', 'Provident fund for a home', 'gjj', 'goufangtiquzhufanggongjijin', 'gftqzfgjj', 3],
  ['company', '企业设立登记', 'Company registration', 'scjg', 'qiyesheliqdengji', 'qysldj', 1],
];

const HOT = new Set(['id-renew', 'passport', 'pension', 'medical', 'property', 'fund']);
const FREE = new Set(['id-first', 'id-lost', 'social-card']);
const MATERIALS_EN = ['Household register', 'Previous identity card', 'Identity card application form (filled in here)'];
const MATERIALS = ['居民户口簿', '原居民身份证', '《居民身份证申领登记表》（现场填写）'];

export const items: readonly ItemView[] = ITEMS.map(
  ([id, name, name_en, department, pinyin, initials, promised_days]) => ({
    id,
    name,
    name_en,
    department,
    queue: department,
    materials: MATERIALS,
    materials_en: MATERIALS_EN,
    promised_days,
    legal_basis: '《中华人民共和国居民身份证法》第十一条',
    legal_basis_en: 'Resident Identity Card Law, Art. 11',
    needs_identity: !FREE.has(id),
    hot: HOT.has(id),
    pinyin,
    initials,
    offered: id !== 'seal' && id !== 'name-change',
    why: id === 'seal' ? 'ticket.item_not_today' : id === 'name-change' ? 'ticket.queue_closed' : '',
    why_params:
      id === 'seal'
        ? { item: name, item_en: name_en, days: '周二、周四', days_en: 'Tue, Thu' }
        : id === 'name-change'
          ? { queue: '公安户政', queue_en: 'Household registration', reason: '系统检修，15:00 恢复。' }
          : {},
    group: '',
    party_max: id === 'id-first' ? 1 : 20,
    face_check: false,
    sample: true,
  }),
);

export const classes: readonly ClassView[] = [
  { id: 'soldier', name: '军人', name_en: 'Military', proof: '军人证件、退役军人优待证', proof_en: 'Military ID or veteran’s card' },
  { id: 'rescue', name: '消防救援人员', name_en: 'Fire and rescue', proof: '消防救援人员证件', proof_en: 'Fire and rescue service ID' },
  { id: 'disabled', name: '残疾人', name_en: 'Disabled', proof: '残疾人证', proof_en: 'Disability certificate' },
  { id: 'pregnant', name: '孕妇、携带婴儿', name_en: 'Pregnant or with an infant', proof: '', proof_en: '' },
  { id: 'elderly', name: '老年人', name_en: 'Elderly', proof: '身份证', proof_en: 'ID card' },
];

export const queues: readonly QueueView[] = DEPARTMENTS.map(([id, name, name_en], at) => ({
  view: 'queue',
  id,
  name,
  name_en,
  waiting: (at * 5 + 3) % 11,
  windows_open: at % 5 === 4 ? 0 : 2,
  closed: false,
  wait:
    at % 5 === 4
      ? null
      : { low: at * 3, high: at * 3 + 8, basis: 'simulation', beyond: false },
  items: {},
}));

export function device(
  kind: DeviceView['kind'],
  name: string,
  name_en: string,
  now: number,
  changes: Partial<DeviceView> = {},
): DeviceView {
  return {
    view: 'device',
    id: `k1-${kind}`,
    kind,
    name,
    name_en,
    parent: 'k1',
    window: null,
    state: 'ready',
    conditions: [],
    since: now - 3_600_000,
    seen: now,
    detail: '',
    pad: null,
    hands: null,
    runs: null,
    ...changes,
  };
}

export function kiosk(now: number, peripherals: readonly DeviceView[] = sound(now)): KioskView {
  const card = peripherals.some((one) => one.kind === 'id_reader' && one.state === 'ready');
  return {
    view: 'kiosk',
    id: 'k1',
    name: '1号取号机',
    name_en: 'Kiosk 1',
    peripherals,
    blocked_by: [],
    screen: null,
    ways: card ? ['card'] : [],
    code_down: false,
    camera: null,
  };
}

export function sound(now: number): readonly DeviceView[] {
  return [
    device('printer', '号票打印机', 'Ticket printer', now),
    device('id_reader', '身份证读卡器', 'ID card reader', now),
    device('scanner', '扫码器', 'Scanner', now),
  ];
}

export function ticket(id: string, number: string, item: string, now: number): KioskTicket {
  const of = items.find((one) => one.id === item);
  return {
    view: 'kiosk_ticket',
    ticket: id,
    number,
    state: 'waiting',
    print_state: 'pending',
    print_cause: null,
    attempt: 1,
    ahead: 3,
    wait: { low: 12, high: 20, basis: 'simulation', beyond: false },
    item_name: of?.name ?? '',
    item_name_en: of?.name_en ?? '',
    department_name: '大庆市公安局',
    department_name_en: 'Public Security Bureau',
    masked_name: of?.needs_identity ? '王*民' : '',
    masked_number: of?.needs_identity ? '230602********1238' : '',
    issued_at: now,
    materials: of?.materials ?? [],
    materials_en: of?.materials_en ?? [],
    todo: [],
    party: 1,
    priority_name: '',
    priority_name_en: '',
    booked: null,
    late: false,
    can_return: false,
    window_number: '',
  };
}

const segment = (what: Content, text: string, more: Partial<Segment> = {}): Segment => ({
  what,
  text,
  lang: 'zh-CN',
  size: 'normal',
  colour: 'text',
  align: 'left',
  share: 0,
  under: false,
  ...more,
});

export const frame = (segments: readonly Segment[], more: Partial<Frame> = {}): Frame => ({
  segments,
  motion: 'static',
  seconds: 8,
  repeats: 0,
  every_seconds: 0,
  starts_at: null,
  ends_at: null,
  ...more,
});

const track = (zone: Zone, line: number, ...segments: Segment[]): Track => ({
  zone,
  line,
  frames: [frame(segments)],
});

/** The built-in overview as the hall server renders it. */
export function boardScreen(since: number, notice: string, more: Partial<BoardScreen> = {}): BoardScreen {
  const name = '大庆市萨尔图区政务服务大厅';
  return {
    view: 'board_screen',
    layout: 'overview',
    kind: 'page_overview',
    rows: 4,
    aloud: true,
    matrix: null,
    hall_name: name,
    hall_name_en: 'Sartu District Government Service Hall',
    since,
    tracks: [
      track('head', 1, segment('hall', name, { size: 'large' }), segment('clock', '', { size: 'huge' })),
      track('side', 1, segment('text', '等候人数'), segment('waiting', '27', { size: 'huge' })),
      track('side', 2, segment('earlier', '')),
      track('foot', 1, segment('notice', notice)),
    ],
    ...more,
  };
}

/** A called ticket as a row of the board. */
export function boardRow(no: number, number: string, window: string, now: number): BoardRow {
  return {
    view: 'board_row',
    ticket: `2026-11-23-${number}`,
    number,
    window_number: window,
    call_no: no,
    called_at: now,
    tracks: [
      track(
        'calls',
        1,
        segment('number', number, { size: 'huge', colour: 'called', share: 30 }),
        segment('name', '王*民', { share: 32 }),
        segment('window', `${window}号窗口`, { size: 'large', share: 38 }),
      ),
    ],
  };
}

/** The same call as a debt of the board. */
export function boardSay(no: number, number: string, window: string, more: Partial<BoardSay> = {}): BoardSay {
  return {
    view: 'board_say',
    ticket: `2026-11-23-${number}`,
    call_no: no,
    order: no,
    number,
    window_number: window,
    text: `请${number}到${window}号窗口办理`,
    text_en: '',
    quiet: false,
    volume: 80,
    ...more,
  };
}
