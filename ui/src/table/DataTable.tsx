// A table of any length: only the rows in sight are drawn. Rows are chosen with j and k and opened
// with enter; columns without room are left out.
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useEffect, useMemo, useRef, type MouseEvent, type ReactNode } from "react";
import { fitting } from "./fit";
import style from "./DataTable.module.css";
import { useWidth } from "./useWidth";

export interface Column<T> {
  id: string;
  header: string;
  /** Least width, pixels; `grow` is its share of what is left over. */
  min: number;
  grow?: number;
  /** 1 stays longest when there is little room. */
  priority: number;
  align?: "right";
  mono?: boolean;
  /** Name of the order, where the rows can be ordered by it. */
  sort?: string;
  /** What stands in a row; `before` is the row above it. */
  cell: (row: T, before: T | undefined) => ReactNode;
}

interface Props<T> {
  /** What the rows are, for those who do not see them. */
  label: string;
  rows: T[];
  columns: Column<T>[];
  rowKey: (row: T) => string;
  chosen: string | null;
  onChoose: (key: string) => void;
  onOpen: (row: T) => void;
  /** Called when the last rows come into sight. */
  onEnd?: () => void;
  /** Old rows while newer ones are asked for. */
  dimmed?: boolean;
  /** Marks rows, e.g. those that evidence names. */
  rowClass?: (row: T) => string | undefined;
  /** The order: a name, with `-` for the least first. */
  sort?: string;
  onSort?: (sort: string) => void;
}

const ROW_PX = 32;
/** Rows before the end at which more are asked for. */
const END_ROWS = 40;

export function DataTable<T>(props: Props<T>) {
  const { rows, columns, rowKey, chosen, onEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const shown = useMemo(() => {
    const kept = fitting(columns, width);
    return columns.filter(({ id }) => kept.has(id));
  }, [columns, width]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollPaddingStart: ROW_PX,
  });
  const items = virtual.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? 0;
  const isNearEnd = rows.length > 0 && lastSeen >= rows.length - END_ROWS;
  useEffect(() => {
    if (isNearEnd) onEnd?.();
  }, [isNearEnd, onEnd]);

  const at = chosen === null ? -1 : rows.findIndex((row) => rowKey(row) === chosen);
  const isThere = at >= 0;
  useEffect(() => {
    if (isThere) virtual.scrollToIndex(at, { align: "auto" });
    // When another row is chosen or it came in, not when rows around it change.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [chosen, isThere]);

  // Rows are drawn anew only for what they show, not because a handler is a new function.
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const pick = useMemo(
    () => (row: T) => {
      latest.current.onChoose(latest.current.rowKey(row));
      latest.current.onOpen(row);
    },
    [],
  );
  const grid = shown.map(({ min, grow }) => track(min, grow)).join(" ");
  return (
    <div
      ref={scroller}
      className={style.scroller}
      role="grid"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      aria-busy={props.dimmed ?? false}
      tabIndex={0}
      style={{ "--columns": grid } as React.CSSProperties}
      {...(isThere && { "aria-activedescendant": `row-${chosen ?? ""}` })}
    >
      <div role="rowgroup" className={style.head}>
        <div role="row" className={style.row}>
          {shown.map((column) => (
            <HeadCell key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        className={props.dimmed ? `${style.body} ${style.dimmed}` : style.body}
        style={{ height: virtual.getTotalSize() }}
      >
        {items.map(({ index, start }) => {
          const row = rows[index];
          if (!row) return null;
          const key = rowKey(row);
          return (
            <TableRow
              key={key}
              id={key}
              row={row}
              before={rows[index - 1]}
              index={index}
              top={start}
              columns={shown as Column<unknown>[]}
              isChosen={key === chosen}
              marked={props.rowClass?.(row)}
              onPick={pick as (row: unknown) => void}
            />
          );
        })}
      </div>
    </div>
  );
}

interface HeadProps<T> {
  column: Column<T>;
  sort: string | undefined;
  onSort: ((sort: string) => void) | undefined;
}

function HeadCell<T>({ column, sort, onSort }: HeadProps<T>) {
  const { sort: by, header, align } = column;
  const isBy = by !== undefined && sort?.replace("-", "") === by;
  const isLeast = sort?.startsWith("-") ?? false;
  return (
    <div
      role="columnheader"
      className={align === "right" ? style.right : style.cell}
      {...(isBy && { "aria-sort": isLeast ? "ascending" : "descending" })}
    >
      {by === undefined || !onSort ? (
        header
      ) : (
        <button
          type="button"
          className={style.sort}
          onClick={() => onSort(isBy && !isLeast ? `-${by}` : by)}
        >
          {header}
          <span aria-hidden="true">{isBy ? (isLeast ? " ▴" : " ▾") : ""}</span>
        </button>
      )}
    </div>
  );
}

const track = (min: number, grow?: number) =>
  grow === undefined ? `${min}px` : `minmax(${min}px, ${grow}fr)`;

interface RowProps {
  id: string;
  row: unknown;
  before: unknown;
  index: number;
  top: number;
  columns: Column<unknown>[];
  isChosen: boolean;
  marked: string | undefined;
  onPick: (row: unknown) => void;
}

const TableRow = memo(function TableRow(props: RowProps) {
  const { id, row, before, index, top, columns, isChosen, marked } = props;
  const click = (event: MouseEvent<HTMLElement>) => {
    if (event.target instanceof Element && event.target.closest("a, button") !== null) return;
    props.onPick(row);
  };
  return (
    <div
      id={`row-${id}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isChosen}
      className={[style.row, style.line, isChosen && style.chosen, marked]
        .filter(Boolean)
        .join(" ")}
      style={{ transform: `translateY(${top}px)` }}
      onClick={click}
    >
      {columns.map(({ id: column, align, mono, cell }) => {
        const kind = align === "right" ? style.right : style.cell;
        return (
          <div key={column} role="gridcell" className={mono ? `${kind} mono` : kind}>
            {cell(row, before)}
          </div>
        );
      })}
    </div>
  );
});
