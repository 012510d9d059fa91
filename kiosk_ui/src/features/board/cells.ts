/** How the parts of a line share its width. */
import type { Segment } from '@qingting/client';

/** Parts that stand one below the other. */
export interface Cell {
  readonly share: number;
  readonly align: Segment['align'];
  readonly segments: readonly Segment[];
}

/** Parts side by side; one with `under` stands below the one before it. Empty ones take no room. */
export function cellsOf(segments: readonly Segment[]): readonly Cell[] {
  const cells: { share: number; align: Segment['align']; segments: Segment[] }[] = [];
  for (const segment of segments) {
    const last = cells.at(-1);
    if (segment.under && last !== undefined) {
      if (segment.text !== '') last.segments.push(segment);
    } else {
      const { share, align } = segment;
      cells.push({ share, align, segments: segment.text === '' ? [] : [segment] });
    }
  }
  return cells;
}

/** Columns of a grid: shares in percent, what is left over for parts without a share. */
export function columnsOf(cells: readonly Cell[]): string {
  const open = cells.filter((cell) => cell.share === 0).length;
  const taken = cells.reduce((sum, cell) => sum + cell.share, 0);
  const rest = open === 0 ? 0 : Math.max(10, 100 - taken) / open;
  return cells.map((cell) => `minmax(0, ${cell.share || rest}fr)`).join(' ');
}
