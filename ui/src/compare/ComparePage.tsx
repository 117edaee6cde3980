// Two sessions beside each other: is it the same one behind both?
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { api, body } from "../api/client";
import type { Compared, ComparedSession } from "../api/schema";
import { useKeys } from "../app/keys";
import { Link } from "../app/Link";
import type { PageProps } from "../app/pages";
import { go } from "../app/router";
import { Card, Figures } from "../parts/Card";
import { Page } from "../parts/Page";
import { Bones, Failed } from "../parts/State";
import { Time } from "../parts/Time";
import { Value } from "../parts/Value";
import { Badge } from "../verdict/Badge";
import { clientName } from "../words/client";
import { shortEndpoint } from "../words/endpoint";
import { bytes, count } from "../words/number";
import { length } from "../words/time";
import style from "./Compare.module.css";
import { SharedCard } from "./SharedCard";

export default function ComparePage({ params }: PageProps) {
  const { id: a = "", other: b = "" } = params;
  useKeys("Two sessions", [
    { key: "Escape", does: "back to the first", run: () => go(`/sessions/${a}`) },
  ]);
  const compared = useQuery({
    queryKey: ["compare", a, b],
    queryFn: ({ signal }) =>
      body(api.GET("/v1/sessions/{a}/compare/{b}", { params: { path: { a, b } }, signal })),
  });
  const { data } = compared;
  return (
    <Page
      title="Two sessions"
      actions={
        <Link className="button" to={`/sessions/${b}/compare/${a}`}>
          The other way round
        </Link>
      }
    >
      {compared.isError ? (
        <Failed error={compared.error} retry={() => void compared.refetch()} />
      ) : !data ? (
        <Bones rows={14} label="The two sessions are loading" />
      ) : (
        <>
          <Card title="Who they are" note={verdictInWords(data)}>
            <Sides of={data} />
          </Card>
          <div className={style.shared}>
            <SharedCard
              title="What they asked for"
              shared={data.endpoints}
              text={shortEndpoint}
              mono
            />
            <SharedCard title="In which order" shared={data.steps} text={shortSteps} mono />
            <SharedCard title="From where" shared={data.addresses} mono />
            <SharedCard title="As what" shared={data.user_agents} text={clientName} />
            <SharedCard
              title="With which headers"
              note="sets of names, as hashes"
              shared={data.header_shapes}
              mono
            />
          </div>
        </>
      )}
    </Page>
  );
}

/** What belongs to the question in one line. */
function verdictInWords({ linked, apart_ms: apart }: Compared): string {
  const when =
    apart < 0
      ? `they overlap for ${length(-apart)}`
      : `${length(apart)} between the end of the one and the beginning of the other`;
  return `${linked ? "linked by their traffic" : "not linked"}; ${when}`;
}

function Sides({ of: { a, b } }: { of: Compared }) {
  const rows: [string, (side: ComparedSession) => ReactNode][] = [
    ["User", ({ session }) => several("user", session.users.values)],
    ["Address", ({ session }) => several("ip", session.ips.values)],
    ["Client", ({ session }) => session.user_agents.values.map(clientName).slice(0, 2).join(", ")],
    ["Found by", ({ session }) => <Value field="key" value={session.key} />],
    [
      "Verdict",
      ({ session: { verdict } }) =>
        verdict == null ? (
          <span className="quiet">none</span>
        ) : (
          <Badge
            type={verdict.bot_type}
            confidence={verdict.confidence}
            state={verdict.state}
            flagged={verdict.flagged}
          />
        ),
    ],
    ["Requests", ({ figures }) => count(figures.requests)],
    ["Errors", ({ figures }) => count(figures.errors_4xx + figures.errors_5xx)],
    ["Pace", ({ median_gap_ms: gap }) => (gap == null ? "–" : `a request each ${length(gap)}`)],
    ["Bodies", ({ figures }) => bytes(figures.bytes)],
    ["First", ({ session }) => <Time at={session.first} withDay />],
    ["Length", ({ session }) => length(session.duration_ms)],
  ];
  return (
    <Figures label="The two sessions" head={["", "The first", "The second"]}>
      <tr>
        <th scope="row">Session</th>
        {[a, b].map((side, index) => (
          <td key={index}>
            <Link className="mono" to={`/sessions/${side.session.session}`}>
              {name(side)}
            </Link>
          </td>
        ))}
      </tr>
      {rows.map(([title, show]) => (
        <tr key={title}>
          <th scope="row">{title}</th>
          <td>{show(a)}</td>
          <td>{show(b)}</td>
        </tr>
      ))}
    </Figures>
  );
}

const shortSteps = (steps: string) => steps.split(" → ").map(shortEndpoint).join(" → ");

const name = ({ session }: ComparedSession) => session.session.slice(0, 12);

function several(field: string, values: string[]): ReactNode {
  if (values.length === 0) return <span className="quiet">none known</span>;
  return values.slice(0, 3).map((value) => (
    <span key={value} className={style.one}>
      <Value field={field} value={value} />
    </span>
  ));
}
