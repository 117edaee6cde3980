// A table of any length: only the rows in sight are drawn. Rows are chosen with j and k and opened
// with enter; columns without room are left out.
import {
  flexRender,
  getCoreRowModel,
  useReactTable,
  type ColumnDef,
  type Row,
  type RowData,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, type MouseEvent } from "react";
import { fitting } from "./fit";
import style from "./DataTable.module.css";
import { useWidth } from "./useWidth";

declare module "@tanstack/react-table" {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the library's own signature
  interface ColumnMeta<TData extends RowData, TValue> {
    /** Least width, pixels; its share of what is left over. */
    min: number;
    grow?: number;
    /** 1 stays longest when there is little room. */
    priority: number;
    align?: "right";
    mono?: boolean;
    /** Name of the order, where the rows can be ordered by it. */
    sort?: string;
  }
}

interface Props<T> {
  /** What the rows are, for those who do not see them. */
  label: string;
  rows: T[];
  columns: ColumnDef<T>[];
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
const END_ROWS = 20;

export function DataTable<T>(props: Props<T>) {
  const { rows, columns, rowKey, chosen, onEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const width = useWidth(scroller);
  const kept = fitting(
    columns.map(({ id, meta }) => ({
      id: id ?? "",
      min: meta?.min ?? 80,
      priority: meta?.priority ?? 9,
    })),
    width,
  );
  const shown = columns.filter(({ id }) => kept.has(id ?? ""));
  const table = useReactTable({
    data: rows,
    columns: shown,
    getRowId: rowKey,
    getCoreRowModel: getCoreRowModel(),
  });
  const model = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: model.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollPaddingStart: ROW_PX,
  });
  const items = virtual.getVirtualItems();
  const lastSeen = items.at(-1)?.index ?? 0;
  const isNearEnd = model.length > 0 && lastSeen >= model.length - END_ROWS;
  useEffect(() => {
    if (isNearEnd) onEnd?.();
  }, [isNearEnd, onEnd]);

  const at = chosen === null ? -1 : model.findIndex((row) => row.id === chosen);
  useEffect(() => {
    if (at >= 0) virtual.scrollToIndex(at, { align: "auto" });
    // Only when another row is chosen, not when rows come in.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [chosen]);

  const grid = shown.map(({ meta }) => track(meta?.min ?? 80, meta?.grow)).join(" ");
  return (
    <div
      ref={scroller}
      className={style.scroller}
      role="grid"
      aria-label={props.label}
      aria-rowcount={model.length + 1}
      aria-busy={props.dimmed ?? false}
      tabIndex={0}
      style={{ "--columns": grid } as React.CSSProperties}
      {...(at >= 0 && { "aria-activedescendant": `row-${chosen ?? ""}` })}
    >
      <div role="rowgroup" className={style.head}>
        <div role="row" className={style.row}>
          {shown.map((column) => (
            <HeadCell key={column.id} column={column} of={props} />
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        className={props.dimmed ? `${style.body} ${style.dimmed}` : style.body}
        style={{ height: virtual.getTotalSize() }}
      >
        {items.map((item) => {
          const row = model[item.index];
          return (
            row && (
              <TableRow key={row.id} row={row} index={item.index} top={item.start} of={props} />
            )
          );
        })}
      </div>
    </div>
  );
}

function HeadCell<T>({ column, of }: { column: ColumnDef<T>; of: Props<T> }) {
  const { meta } = column;
  const name = typeof column.header === "string" ? column.header : "";
  const by = meta?.sort;
  const isBy = by !== undefined && of.sort?.replace("-", "") === by;
  const isLeast = of.sort?.startsWith("-") ?? false;
  return (
    <div
      role="columnheader"
      className={meta?.align === "right" ? style.right : style.cell}
      {...(isBy && { "aria-sort": isLeast ? "ascending" : "descending" })}
    >
      {by === undefined || !of.onSort ? (
        name
      ) : (
        <button
          type="button"
          className={style.sort}
          onClick={() => of.onSort?.(isBy && !isLeast ? `-${by}` : by)}
        >
          {name}
          <span aria-hidden="true">{isBy ? (isLeast ? " ▴" : " ▾") : ""}</span>
        </button>
      )}
    </div>
  );
}

const track = (min: number, grow?: number) =>
  grow === undefined ? `${min}px` : `minmax(${min}px, ${grow}fr)`;

interface RowProps<T> {
  row: Row<T>;
  index: number;
  top: number;
  of: Props<T>;
}

function TableRow<T>({ row, index, top, of }: RowProps<T>) {
  const isChosen = row.id === of.chosen;
  const click = (event: MouseEvent<HTMLElement>) => {
    if (event.target instanceof Element && event.target.closest("a, button") !== null) return;
    of.onChoose(row.id);
    of.onOpen(row.original);
  };
  const marked = of.rowClass?.(row.original);
  return (
    <div
      id={`row-${row.id}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isChosen}
      className={[style.row, style.line, isChosen && style.chosen, marked]
        .filter(Boolean)
        .join(" ")}
      style={{ transform: `translateY(${top}px)` }}
      onClick={click}
    >
      {row.getVisibleCells().map((cell) => {
        const { meta } = cell.column.columnDef;
        const kind = meta?.align === "right" ? style.right : style.cell;
        return (
          <div key={cell.id} role="gridcell" className={meta?.mono ? `${kind} mono` : kind}>
            {flexRender(cell.column.columnDef.cell, cell.getContext())}
          </div>
        );
      })}
    </div>
  );
}
