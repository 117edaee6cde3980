// The list's columns: one entry each.
import { Link } from "../app/Link";
import type { Listed, Session } from "../api/schema";
import { program } from "../filter/fields";
import { Labels } from "../parts/Labels";
import { Sequence } from "../parts/Sequence";
import { Time } from "../parts/Time";
import { Value } from "../parts/Value";
import type { Column } from "../table/DataTable";
import { Badge } from "../verdict/Badge";
import { clientName } from "../words/client";
import { countryName } from "../words/country";
import { bytes, count } from "../words/number";
import { length } from "../words/time";
import { useBeginning } from "./sequenceData";
import style from "./Sessions.module.css";

/** A value and how many others there are. */
function Several({
  field,
  of,
  short,
  name,
}: {
  field: string;
  of: Listed;
  /** The program of a user agent: what is shown is what is asked for. */
  short?: (text: string) => string;
  /** How a value is shown. */
  name?: (text: string) => string;
}) {
  const first = of.values[0];
  if (first === undefined) return <span className="quiet">–</span>;
  const more = of.count - 1;
  return (
    <span className={style.several} title={of.values.join("\n")}>
      <span className="cut">
        <Value field={field} value={short ? program(first) : first} title={first}>
          {(short ?? name)?.(first) ?? first}
        </Value>
      </span>
      {more > 0 && <span className="soft">+{count(more)}</span>}
    </span>
  );
}

/** What people put beside it, before what it did. */
function Said({ row: { note, pinned } }: { row: Session }) {
  if (note == null && !pinned) return null;
  return (
    <span className={style.said}>
      {pinned && (
        <Value field="has" value="pin" title="Pinned: it is kept beyond its time">
          <span aria-hidden="true">◆</span>
          <span className="unseen">pinned</span>
        </Value>
      )}
      {note != null && note.labels.length > 0 && <Labels labels={note.labels.slice(0, 2)} />}
      {note != null && note.note !== "" && (
        <Value field="has" value="note" title={note.note}>
          note
        </Value>
      )}
    </span>
  );
}

function Beginning({ row }: { row: Session }) {
  const { steps, cut } = useBeginning(row.session, row.requests);
  if (steps === null) return <span className={style.waiting} aria-label="loading" />;
  return (
    <span className={style.what}>
      <Said row={row} />
      <Sequence steps={steps} />
      {cut && <span className="quiet"> …</span>}
    </span>
  );
}

function Errors({ row }: { row: Session }) {
  const sum = row.errors_4xx + row.errors_5xx;
  if (sum === 0) return <span className="quiet">0</span>;
  const title = `${row.errors_4xx} answered 4xx, ${row.errors_5xx} answered 5xx`;
  return (
    <span className={row.errors_5xx > 0 ? "bad" : "warn"} title={title}>
      {count(sum)}
    </span>
  );
}

function Judged({ verdict }: { verdict: Session["verdict"] }) {
  if (verdict == null) return <span className="quiet">–</span>;
  return (
    <Value
      field="verdict"
      value={verdict.bot_type}
      title={verdict.reason ?? "No evidence is stored"}
    >
      <Badge
        type={verdict.bot_type}
        confidence={verdict.confidence}
        state={verdict.state}
        flagged={verdict.flagged}
      />
    </Value>
  );
}

export const COLUMNS: Column<Session>[] = [
  {
    id: "last",
    header: "Last seen",
    sort: "last",
    min: 92,
    priority: 1,
    cell: (row) => (
      <Link to={`/sessions/${row.session}`} className={style.when} tabIndex={-1}>
        <Time at={row.last} />
      </Link>
    ),
  },
  {
    id: "length",
    header: "Length",
    sort: "duration",
    min: 90,
    priority: 6,
    align: "right",
    cell: (row) => <span className="soft">{length(row.duration_ms)}</span>,
  },
  {
    id: "user",
    header: "User",
    sort: "user",
    min: 130,
    grow: 1,
    priority: 4,
    cell: (row) => <Several field="user" of={row.users} />,
  },
  {
    id: "role",
    header: "Role",
    sort: "role",
    min: 80,
    grow: 0.5,
    priority: 10,
    cell: (row) => <Several field="role" of={row.roles} />,
  },
  {
    id: "ip",
    header: "Address",
    sort: "ip",
    min: 146,
    grow: 0.5,
    priority: 5,
    mono: true,
    cell: (row) => <Several field="ip" of={row.ips} />,
  },
  {
    id: "country",
    header: "Country",
    min: 92,
    priority: 9,
    cell: ({ countries = [] }) => (
      <Several
        field="country"
        of={{ values: countries, count: countries.length }}
        name={countryName}
      />
    ),
  },
  {
    id: "what",
    header: "What happened",
    min: 180,
    grow: 5,
    priority: 2,
    mono: true,
    cell: (row) => <Beginning row={row} />,
  },
  {
    id: "requests",
    header: "Requests",
    sort: "requests",
    min: 76,
    priority: 3,
    align: "right",
    cell: (row) => count(row.requests),
  },
  {
    id: "errors",
    header: "Errors",
    sort: "errors",
    min: 64,
    priority: 3,
    align: "right",
    cell: (row) => <Errors row={row} />,
  },
  {
    id: "verdict",
    header: "Verdict",
    sort: "confidence",
    min: 204,
    priority: 3,
    cell: (row) => <Judged verdict={row.verdict} />,
  },
  {
    id: "client",
    header: "Client",
    sort: "ua",
    min: 158,
    priority: 7,
    cell: (row) => <Several field="ua" of={row.user_agents} short={clientName} />,
  },
  {
    id: "key",
    header: "Found by",
    sort: "key",
    min: 126,
    priority: 8,
    cell: (row) => (
      <>
        <Value field="key" value={row.key} />
        {row.shared_key && <span className="warn"> shared</span>}
      </>
    ),
  },
  {
    id: "app",
    header: "Application",
    sort: "app",
    min: 90,
    grow: 0.4,
    priority: 11,
    cell: (row) => <Value field="app" value={row.application} />,
  },
  {
    id: "labels",
    header: "Labels",
    min: 110,
    grow: 0.5,
    priority: 9,
    cell: ({ note }) =>
      note == null || note.labels.length === 0 ? (
        <span className="quiet">–</span>
      ) : (
        <Labels labels={note.labels} />
      ),
  },
  {
    id: "visits",
    header: "Visits",
    sort: "visits",
    min: 60,
    priority: 12,
    align: "right",
    cell: (row) => count(row.visits),
  },
  {
    id: "bytes",
    header: "Sent back",
    sort: "bytes",
    min: 90,
    priority: 13,
    align: "right",
    cell: (row) => <span className="soft">{bytes(row.response_bytes)}</span>,
  },
  {
    id: "id",
    header: "Session",
    sort: "session",
    min: 110,
    priority: 14,
    mono: true,
    cell: (row) => <span title={row.session}>{row.session.slice(0, 12)}</span>,
  },
];

/** Shown when nobody chose. */
export const USUAL = [
  "last",
  "length",
  "user",
  "ip",
  "what",
  "requests",
  "errors",
  "verdict",
  "client",
];

/** What a person added stays longer than what is there by itself. */
const ADDED_PRIORITY = 2.5;

export function columnsFor(shown: string[]): Column<Session>[] {
  return COLUMNS.filter(({ id }) => shown.includes(id)).map((column) =>
    USUAL.includes(column.id) ? column : { ...column, priority: ADDED_PRIORITY },
  );
}
