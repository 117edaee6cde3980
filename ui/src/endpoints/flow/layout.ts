// Where endpoints and the steps between them stand in the picture: columns from entry to exit.
import type { Edge, Node } from "../../api/schema";

export const ENTRY = "(entry)";
export const EXIT = "(exit)";

export interface Box {
  endpoint: string;
  /** Null at both ends of a visit. */
  node: Node | null;
  column: number;
  x: number;
  y: number;
  wide: number;
  high: number;
  /** How often it follows itself. */
  again: number;
}

export interface Arrow {
  edge: Edge;
  path: string;
  /** Pixels. */
  wide: number;
  /** Towards an earlier column, or within one. */
  isBack: boolean;
}

export interface Picture {
  boxes: Box[];
  arrows: Arrow[];
  width: number;
  height: number;
}

const HIGH_PX = 40;
const GAP_PX_MIN = 16;
const GAP_PX_MAX = 84;
/** So high a picture is drawn where it has room. */
const ROOM_PX = 560;
const TOP_PX = 14;
/** Room below for steps that go back. */
const BOTTOM_PX = 46;
const COLUMNS_MAX = 5;
const ROWS_MAX = 8;
const WIDE_PX_MAX = 200;
const END_PX = 64;
/** Between columns, for arrows to be seen. */
const BETWEEN_PX = 54;
const SWEEPS = 4;

/** Draws the `most` strongest steps; those that lead from an endpoint to itself are said at its box. */
export function layout(nodes: Node[], edges: Edge[], width: number, most: number): Picture {
  const known = new Map(nodes.map((node) => [node.endpoint, node]));
  const isKnown = (name: string) => name === ENTRY || name === EXIT || known.has(name);
  const ways = edges.filter(({ from, to }) => from !== to && isKnown(from) && isKnown(to));
  const drawn = strongest(ways, most);
  const names = nodes.map(({ endpoint }) => endpoint);
  const column = columnsOf(names, edges);
  const last = Math.max(0, ...column.values()) + 1;
  const columns: string[][] = Array.from({ length: last + 1 }, () => []);
  columns[0]?.push(ENTRY);
  for (const name of names) columns[column.get(name) ?? 1]?.push(name);
  columns[last]?.push(EXIT);
  order(columns, drawn);

  const rows = Math.max(...columns.map((list) => list.length));
  const gap = Math.max(GAP_PX_MIN, Math.min(GAP_PX_MAX, ROOM_PX / rows - HIGH_PX));
  const room = rows * (HIGH_PX + gap) - gap;
  const inner = width - 2 * END_PX;
  const wide = Math.max(70, Math.min(WIDE_PX_MAX, inner / Math.max(1, last - 1) - BETWEEN_PX));
  const step = last > 2 ? (inner - wide - BETWEEN_PX) / (last - 2) : 0;
  const again = new Map(edges.filter(({ from, to }) => from === to).map((e) => [e.from, e.count]));
  const boxes = columns.flatMap((list, at) => {
    const top = TOP_PX + (room - (list.length * (HIGH_PX + gap) - gap)) / 2;
    const isEnd = at === 0 || at === last;
    const left =
      at === 0 ? 0 : at === last ? width - END_PX : END_PX + BETWEEN_PX / 2 + (at - 1) * step;
    return list.map((endpoint, row) => ({
      endpoint,
      node: known.get(endpoint) ?? null,
      column: at,
      x: left,
      y: top + row * (HIGH_PX + gap),
      wide: isEnd ? END_PX : wide,
      high: HIGH_PX,
      again: again.get(endpoint) ?? 0,
    }));
  });
  const place = new Map(boxes.map((box) => [box.endpoint, box]));
  const thickest = drawn[0]?.count ?? 1;
  const arrows = drawn.flatMap((edge) => {
    const [from, to] = [place.get(edge.from), place.get(edge.to)];
    if (!from || !to) return [];
    const thick = 1 + 9 * Math.sqrt(edge.count / thickest);
    const isBack = to.column <= from.column;
    return [{ edge, path: curve(from, to), wide: isBack ? Math.min(2, thick) : thick, isBack }];
  });
  return { boxes, arrows, width, height: TOP_PX + room + BOTTOM_PX };
}

/** The first `most`, and the first to and from each endpoint, so that none stands alone. */
function strongest(ways: Edge[], most: number): Edge[] {
  const seen = new Set<string>();
  return ways.filter(({ from, to }, index) => {
    const isFirst = !seen.has(`from ${from}`) || !seen.has(`to ${to}`);
    seen.add(`from ${from}`).add(`to ${to}`);
    return isFirst || index < most;
  });
}

/** One column further than the strongest step that leads on to it; steps back do not count. */
function columnsOf(names: string[], edges: Edge[]): Map<string, number> {
  const place = new Map([ENTRY, ...inOrder(names, edges)].map((name, at) => [name, at]));
  const column = new Map<string, number>([[ENTRY, 0]]);
  for (const name of [...place.keys()].slice(1)) {
    const before = edges
      .filter(
        ({ from, to }) => to === name && (place.get(from) ?? Infinity) < (place.get(name) ?? 0),
      )
      .sort((one, other) => other.count - one.count)[0];
    column.set(name, Math.min(COLUMNS_MAX, (column.get(before?.from ?? ENTRY) ?? 0) + 1));
  }
  return spread(names, column);
}

/** Endpoints so that few steps lead back: first those that more lead away from than to. */
function inOrder(names: string[], edges: Edge[]): string[] {
  const left = new Set(names);
  const order: string[] = [];
  while (left.size > 0) {
    let [best, most] = ["", -Infinity];
    for (const name of left) {
      let surplus = 0;
      for (const { from, to, count } of edges) {
        if (from === to) continue;
        if (from === name && (left.has(to) || to === EXIT)) surplus += count;
        if (to === name && left.has(from)) surplus -= count;
        // Where visits begin comes first.
        if (to === name && from === ENTRY) surplus += count;
      }
      if (surplus > most) [best, most] = [name, surplus];
    }
    left.delete(best);
    order.push(best);
  }
  return order;
}

/** No column gets higher than one can look at: what is too much moves on to the next. */
function spread(names: string[], column: Map<string, number>): Map<string, number> {
  const result = new Map<string, number>();
  const filled = new Map<number, number>();
  const byColumn = [...names].sort(
    (one, other) => (column.get(one) ?? 1) - (column.get(other) ?? 1),
  );
  for (const name of byColumn) {
    let at = column.get(name) ?? 1;
    while ((filled.get(at) ?? 0) >= ROWS_MAX) at += 1;
    filled.set(at, (filled.get(at) ?? 0) + 1);
    result.set(name, at);
  }
  // Without empty columns in between.
  const used = [...new Set(result.values())].sort((one, other) => one - other);
  return new Map([...result].map(([name, at]) => [name, used.indexOf(at) + 1]));
}

/** Orders each column by the middle of what it is joined with, so that fewer steps cross. */
function order(columns: string[][], edges: Edge[]) {
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const row = new Map(
      columns.flatMap((list) => list.map((name, at) => [name, at / list.length])),
    );
    for (const list of columns) {
      const middle = new Map(list.map((name) => [name, middleOf(name, edges, row)]));
      list.sort((one, other) => (middle.get(one) ?? 0) - (middle.get(other) ?? 0));
    }
  }
}

function middleOf(name: string, edges: Edge[], row: Map<string, number>): number {
  let [weight, total] = [0, 0];
  for (const { from, to, count } of edges) {
    const other = from === name ? to : to === name ? from : null;
    if (other === null) continue;
    weight += count;
    total += count * (row.get(other) ?? 0);
  }
  return weight === 0 ? (row.get(name) ?? 0) : total / weight;
}

function curve(from: Box, to: Box): string {
  const right = from.x + from.wide;
  if (to.column > from.column) {
    const [y1, y2] = [from.y + from.high / 2, to.y + to.high / 2];
    const bend = Math.max(24, (to.x - right) / 2);
    return `M${right},${y1}C${right + bend},${y1} ${to.x - bend},${y2} ${to.x},${y2}`;
  }
  if (to.column === from.column) {
    // Within a column: around the right side.
    const [y1, y2] = [from.y + from.high * 0.7, to.y + to.high * 0.3];
    const bulge = 18 + Math.abs(y2 - y1) * 0.12;
    return `M${right},${y1}C${right + bulge},${y1} ${right + bulge},${y2} ${right},${y2}`;
  }
  // Back: below both.
  const [x1, x2] = [from.x + from.wide * 0.35, to.x + to.wide * 0.65];
  const [y1, y2] = [from.y + from.high, to.y + to.high];
  const low = Math.max(y1, y2) + 26;
  return `M${x1},${y1}C${x1},${low} ${x2},${low} ${x2},${y2}`;
}
