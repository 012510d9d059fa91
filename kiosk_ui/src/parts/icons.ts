/** Pictures, drawn on a 24 × 24 grid with one stroke width; departments name theirs in the catalogue. */
export const ICONS = {
  // Departments
  building: 'M4 21V6l8-3 8 3v15M2 21h20M9 21v-4h6v4M8 9h2M14 9h2M8 13h2M14 13h2',
  bus: 'M5 17V6c0-2 2-3 7-3s7 1 7 3v11zM5 12h14M7 17v3M17 17v3M8 14.5h.5M15.5 14.5h.5M2.5 9v3M21.5 9v3',
  city: 'M3 21V10h6v11M9 21V4h8v17M17 21v-9h4v9M2 21h20M12 8h2M12 12h2M12 16h2M5.5 14h1M5.5 17h1',
  health: 'M9 3h6v6h6v6h-6v6H9v-6H3V9h6z',
  house: 'M3 12 12 4l9 8M5.5 10v10h13V10M10 20v-6h4v6',
  insurance: 'M12 21c-5-3-8-6-8-11V5l8-2 8 2v5c0 5-3 8-8 11zM12 8v6M9 11h6',
  land: 'M3 7l6-3 6 3 6-3v13l-6 3-6-3-6 3zM9 4v13M15 7v13',
  market: 'M4 10v11h16V10M2.5 9 5 3h14l2.5 6a3 3 0 0 1-6.3 0 3 3 0 0 1-6.4 0 3 3 0 0 1-6.3 0zM10 21v-6h4v6',
  notary: 'M6 3h9l4 4v9M6 3v18h6M9 8h6M9 12h4M17 21a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM15.5 20.5 15 24M18.5 20.5 19 24',
  people: 'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21v-2a5 5 0 0 1 5-5h4a5 5 0 0 1 5 5v2M16 3.5a4 4 0 0 1 0 7M18 14.5a5 5 0 0 1 4 4.5v2',
  plan: 'M4 20V10M10 20V4M16 20v-8M22 20H2M4 7l6-4 6 6 5-5',
  police: 'M12 3l3 2h4v4l2 3-2 3v4h-4l-3 2-3-2H5v-4l-2-3 2-3V5h4zM12 9l1 2 2 .2-1.5 1.5.4 2.2L12 14l-1.9.9.4-2.2L9 11.2l2-.2z',
  safety: 'M4 16a8 8 0 0 1 16 0M2 16h20v3H2zM10 8.5V5h4v3.5M8 16v-4M16 16v-4',
  shelter: 'M12 3v3M3 14a9 9 0 0 1 18 0zM12 14v5a2 2 0 0 0 4 0',
  // Actions and states
  back: 'M15 5l-7 7 7 7',
  forward: 'M9 5l7 7-7 7',
  home: 'M3 12 12 4l9 8M6 9.5V20h12V9.5',
  staff: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 21v-1a6 6 0 0 1 6-6h2a6 6 0 0 1 6 6v1M19 9V3M16.5 5.5 19 3l2.5 2.5',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16.5 16.5 21 21',
  scan: 'M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M3 12h18',
  card: 'M3 5.5h18v13H3zM6.5 15.5c.3-1.8 1.4-2.5 2.5-2.5s2.2.7 2.5 2.5M9 11.5a1.6 1.6 0 1 0 0-3.2 1.6 1.6 0 0 0 0 3.2zM14 10h4M14 14h4',
  face: 'M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M9 9.5v1M15 9.5v1M12 9.5v3.5h-1M9 15.5c1.8 1.6 4.2 1.6 6 0',
  printer: 'M7 9V3h10v6M7 17H4V9h16v8h-3M7 14h10v7H7z',
  ticket: 'M5 3h14v18l-2.3-1.5L14.3 21 12 19.5 9.7 21l-2.4-1.5L5 21zM9 8h6M9 12h6',
  check: 'M4.5 12.5 10 18 20 7',
  warn: 'M12 4 2.5 20h19zM12 10v5M12 17.5v.5',
  cross: 'M6 6l12 12M18 6 6 18',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2',
  low: 'M11 5.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM11 8v6h5l3 5.5M11 10.5h4M9 11a5.5 5.5 0 1 0 6.5 7.5',
  elder: 'M3 19 8.5 5 14 19M5 14.5h7M15 19l3-8 3 8M16 16.5h4',
  contrast: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 3v18M12 6.5l5.8-.3M12 10h8.7M12 13.5h8.7M12 17h7',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9S9 6 12 3z',
  backspace: 'M9 5h12v14H9l-7-7zM12.5 9.5l5 5M17.5 9.5l-5 5',
  line: 'M2 8.5a15 15 0 0 1 4-2.5M22 8.5A15 15 0 0 0 11 4.6M5 12.5a10 10 0 0 1 4-2.3M19 12.5a10 10 0 0 0-3-2M8.5 16a5 5 0 0 1 7 0M12 20h.01M3 3l18 18',
  notice: 'M4 10v4h4l7 5V5l-7 5zM18.5 9a4 4 0 0 1 0 6',
  mute: 'M4 10v4h4l7 5V5l-7 5zM18 9.5l4 5M22 9.5l-4 5',
  lock: 'M6 11h12v10H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11M12 15v2.5',
} as const;

export type IconName = keyof typeof ICONS;

/** The picture that a catalogue names, or a building for a name of a newer catalogue. */
export function iconOf(name: string): IconName {
  return name in ICONS ? (name as IconName) : 'building';
}
