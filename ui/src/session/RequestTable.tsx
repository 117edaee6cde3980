// What it did, in order; context parameters are columns in the policy's order.
import { useMemo } from "react";
import type { Exchange } from "../api/schema";
import { Status } from "../parts/Status";
import { Time } from "../parts/Time";
import { Value } from "../parts/Value";
import { DataTable, type Column } from "../table/DataTable";
import { linkName } from "../words/link";
import { bytes } from "../words/number";
import { length, micros, took } from "../words/time";
import { paramNames } from "./params";
import style from "./Session.module.css";

interface Props {
  rows: Exchange[];
  /** The first of them, which name the columns: the same while more come in. */
  beginning: Exchange[];
  chosen: string | null;
  /** Requests that evidence names. */
  shows: Set<string>;
  onChoose: (recordId: string) => void;
  onEnd: () => void;
}

/** A pause that one should see, milliseconds. */
const PAUSE_MS = 2000;

export function RequestTable({ rows, beginning, chosen, shows, onChoose, onEnd }: Props) {
  const names = useMemo(() => paramNames(beginning), [beginning]).join("\n");
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

function columnsFor(names: string[]): Column<Exchange>[] {
  return [
    {
      id: "start",
      header: "Time",
      min: 110,
      priority: 2,
      cell: (row) => <Time at={row.start} withMillis />,
    },
    {
      id: "after",
      header: "After",
      min: 68,
      priority: 6,
      align: "right",
      cell: (row, before) => {
        if (!before) return null;
        const ms = (micros(row.start) - micros(before.start)) / 1000;
        return <span className={ms >= PAUSE_MS ? undefined : "quiet"}>{length(ms)}</span>;
      },
    },
    {
      id: "request",
      header: "Request",
      min: 190,
      grow: 4,
      priority: 1,
      mono: true,
      cell: (row) => <Asked request={row} />,
    },
    {
      id: "status",
      header: "Status",
      min: 64,
      priority: 3,
      align: "right",
      cell: (row) => <Status of={row} />,
    },
    {
      id: "took",
      header: "Took",
      min: 74,
      priority: 4,
      align: "right",
      cell: (row) => took(row.duration_us),
    },
    ...names.map((name, index): Column<Exchange> => ({
      id: `param:${name}`,
      header: name,
      min: 110,
      grow: 2,
      priority: 5 + index / 100,
      cell: (row) => <Param request={row} name={name} />,
    })),
    {
      id: "bytes",
      header: "Sent back",
      min: 86,
      priority: 7,
      align: "right",
      cell: (row) => <span className="soft">{bytes(row.response_bytes)}</span>,
    },
  ];
}

function Asked({ request }: { request: Exchange }) {
  const query = request.query_names.length > 0 ? `?${request.query_names.join("&")}` : "";
  const before = request.links.find(({ kind }) => kind !== "both");
  return (
    <>
      <span className="soft">{request.method ?? "–"}</span> {request.path ?? "(no path)"}
      <span className="quiet">{query}</span>
      {before && (
        <span className={style.linkWord} title="Goes on from another session">
          {" "}
          ⇠ {linkName(before.kind)}
        </span>
      )}
    </>
  );
}

function Param({ request, name }: { request: Exchange; name: string }) {
  const param = request.params.find((known) => known.name === name);
  if (!param) return null;
  const field = param.kind === "plain" ? `param.${name}` : param.kind;
  return <Value field={field} value={param.value} title={param.value} />;
}
