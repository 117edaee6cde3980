// The columns of the table of endpoints: one entry each.
import type { Endpoint } from "../api/schema";
import { FilterLink } from "../parts/FilterLink";
import { Time } from "../parts/Time";
import type { Column } from "../table/DataTable";
import { bytes, count, percent } from "../words/number";
import { took } from "../words/time";
import style from "./Endpoints.module.css";
import { Marks } from "./Marks";
import { waited } from "./waited";

/** From here on a share of errors is loud: of all, and of those the API itself made. */
const LOUD = 0.1;
const LOUD_5XX = 0.01;

export const ms = (value: number | null | undefined) =>
  value == null ? "–" : took(Math.round(value * 1000));

export function EndpointName({ text }: { text: string }) {
  const [method = "", path = ""] = text.split(/ (.*)/s);
  return (
    <>
      <span className="soft">{method}</span> {path}
    </>
  );
}

export function ErrorShare({ of }: { of: Endpoint }) {
  if (of.error_share === 0) return <span className="quiet">0</span>;
  const isOwn = of.errors_5xx / Math.max(1, of.requests) >= LOUD_5XX;
  const tone = isOwn ? "bad" : of.error_share >= LOUD ? "warn" : undefined;
  return (
    <FilterLink word={`${of.term} status:400..599`} className={style.figure} title="Its errors">
      <span className={tone}>{percent(of.error_share)}</span>
    </FilterLink>
  );
}

/** A latency that leads to the sessions that it hurt. */
function Slow({ of, at }: { of: Endpoint; at: number | null | undefined }) {
  if (at == null) return <span className="quiet">–</span>;
  return (
    <FilterLink
      word={`${of.term} ${waited(at)}`}
      className={style.figure}
      title="Those that took that long or longer"
    >
      {ms(at)}
    </FilterLink>
  );
}

export const COLUMNS: Column<Endpoint>[] = [
  {
    id: "endpoint",
    header: "Endpoint",
    min: 220,
    grow: 4,
    priority: 1,
    mono: true,
    cell: (row) => (
      <>
        <EndpointName text={row.endpoint} />
        <Marks of={row} />
      </>
    ),
  },
  {
    id: "app",
    header: "Application",
    min: 90,
    grow: 0.4,
    priority: 9,
    cell: ({ application }) => <span className="soft">{application}</span>,
  },
  {
    id: "requests",
    header: "Requests",
    sort: "requests",
    min: 88,
    priority: 2,
    align: "right",
    cell: ({ requests }) => count(requests),
  },
  {
    id: "sessions",
    header: "Sessions",
    sort: "sessions",
    min: 84,
    priority: 5,
    align: "right",
    cell: (row) => (
      <FilterLink word={row.term} className={style.figure}>
        {count(row.sessions)}
      </FilterLink>
    ),
  },
  {
    id: "errors",
    header: "Errors",
    sort: "error_share",
    min: 78,
    priority: 3,
    align: "right",
    cell: (row) => <ErrorShare of={row} />,
  },
  {
    id: "p50",
    header: "p50",
    sort: "p50",
    min: 80,
    priority: 6,
    align: "right",
    cell: ({ p50_ms: value }) => <span className="soft">{ms(value)}</span>,
  },
  {
    id: "p95",
    header: "p95",
    sort: "p95",
    min: 80,
    priority: 4,
    align: "right",
    cell: (row) => <Slow of={row} at={row.p95_ms} />,
  },
  {
    id: "p99",
    header: "p99",
    sort: "p99",
    min: 80,
    priority: 5,
    align: "right",
    cell: (row) => <Slow of={row} at={row.p99_ms} />,
  },
  {
    id: "bots",
    header: "By bots",
    sort: "bot_share",
    min: 80,
    priority: 6,
    align: "right",
    cell: ({ bot_share: share }) => (
      <span className={share === 0 ? "quiet" : undefined}>
        {share === 0 ? "0" : percent(share)}
      </span>
    ),
  },
  {
    id: "bytes",
    header: "Bytes",
    sort: "bytes",
    min: 92,
    priority: 8,
    align: "right",
    cell: ({ request_bytes: sent, response_bytes: back }) => (
      <span className="soft">{bytes(sent + back)}</span>
    ),
  },
  {
    id: "last",
    header: "Last",
    sort: "last_seen",
    min: 92,
    priority: 7,
    align: "right",
    cell: ({ last_seen: last }) => (last == null ? "never" : <Time at={last} />),
  },
  {
    id: "first",
    header: "First seen",
    sort: "first_seen",
    min: 100,
    priority: 10,
    align: "right",
    cell: ({ first_seen: first }) => (first == null ? "never" : <Time at={first} />),
  },
];
