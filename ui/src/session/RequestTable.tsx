// What it did, in order; context parameters are columns in the policy's order.
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";
import type { Exchange } from "../api/schema";
import { Status } from "../parts/Status";
import { Time } from "../parts/Time";
import { DataTable } from "../table/DataTable";
import { bytes } from "../words/number";
import { length, micros, took } from "../words/time";
import { paramNames } from "./params";
import style from "./Session.module.css";

interface Props {
  rows: Exchange[];
  chosen: string | null;
  /** Requests that evidence names. */
  shows: Set<string>;
  onChoose: (recordId: string) => void;
  onEnd: () => void;
}

/** A pause that one should see, milliseconds. */
const PAUSE_MS = 2000;

export function RequestTable({ rows, chosen, shows, onChoose, onEnd }: Props) {
  const names = useMemo(() => paramNames(rows), [rows]).join("\n");
  const columns = useMemo(() => columnsFor(names === "" ? [] : names.split("\n")), [names]);
  return (
    <DataTable
      label="Requests"
      rows={rows}
      columns={columns}
      rowKey={({ record_id }) => record_id}
      chosen={chosen}
      onChoose={onChoose}
      onOpen={({ record_id }) => onChoose(record_id)}
      onEnd={onEnd}
      rowClass={({ record_id }) => (shows.has(record_id) ? style.shows : undefined)}
    />
  );
}

function columnsFor(names: string[]): ColumnDef<Exchange>[] {
  return [
    {
      id: "start",
      header: "Time",
      meta: { min: 110, priority: 2 },
      cell: ({ row }) => <Time at={row.original.start} withMillis />,
    },
    {
      id: "after",
      header: "After",
      meta: { min: 68, priority: 6, align: "right" },
      cell: ({ row, table }) => {
        const before = table.getCoreRowModel().rows[row.index - 1]?.original;
        if (!before) return null;
        const ms = (micros(row.original.start) - micros(before.start)) / 1000;
        return <span className={ms >= PAUSE_MS ? undefined : "quiet"}>{length(ms)}</span>;
      },
    },
    {
      id: "request",
      header: "Request",
      meta: { min: 190, grow: 4, priority: 1, mono: true },
      cell: ({ row }) => <Asked request={row.original} />,
    },
    {
      id: "status",
      header: "Status",
      meta: { min: 64, priority: 3, align: "right" },
      cell: ({ row }) => <Status of={row.original} />,
    },
    {
      id: "took",
      header: "Took",
      meta: { min: 74, priority: 4, align: "right" },
      cell: ({ row }) => took(row.original.duration_us),
    },
    ...names.map((name, index): ColumnDef<Exchange> => ({
      id: `param:${name}`,
      header: name,
      meta: { min: 96, grow: 1, priority: 5 + index / 100 },
      cell: ({ row }) => <Param request={row.original} name={name} />,
    })),
    {
      id: "bytes",
      header: "Sent back",
      meta: { min: 86, priority: 7, align: "right" },
      cell: ({ row }) => <span className="soft">{bytes(row.original.response_bytes)}</span>,
    },
  ];
}

function Asked({ request }: { request: Exchange }) {
  const query = request.query_names.length > 0 ? `?${request.query_names.join("&")}` : "";
  return (
    <>
      <span className="soft">{request.method ?? "–"}</span> {request.path ?? "(no path)"}
      <span className="quiet">{query}</span>
      {request.links.some(({ kind }) => kind !== "both") && (
        <span className={style.linkWord} title="Goes on from another session">
          {" "}
          ⇠ {request.links.find(({ kind }) => kind !== "both")?.kind}
        </span>
      )}
    </>
  );
}

function Param({ request, name }: { request: Exchange; name: string }) {
  const param = request.params.find((known) => known.name === name);
  if (!param) return null;
  return <span title={param.value}>{param.value}</span>;
}
