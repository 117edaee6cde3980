// One session: who, what happened, in which order, and why it is one.
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { Failed, Bones } from "../parts/State";
import { useKeys } from "../app/keys";
import type { PageProps } from "../app/pages";
import { go, setQuery, usePlace } from "../app/router";
import { rememberedList } from "../sessions/list";
import { verdictQuery } from "../verdict/data";
import { VerdictCard } from "../verdict/VerdictCard";
import { sequence } from "../words/sequence";
import { useLinked, useRequests, useSession } from "./data";
import { Detail } from "./Detail";
import { Facts } from "./Facts";
import { Header } from "./Header";
import { InWords } from "./InWords";
import { Related } from "./Related";
import { RequestTable } from "./RequestTable";
import style from "./Session.module.css";
import { Timeline } from "./timeline/Timeline";

export default function SessionPage({ params }: PageProps) {
  const id = params.id ?? "";
  const { query } = usePlace();
  const chosen = query.get("at");
  const session = useSession(id);
  const requests = useRequests(id);
  const linked = useLinked(session.data);
  const { rows } = requests;
  const shows = useShowing(session.data?.verdict?.id);
  const steps = useMemo(() => sequence(rows), [rows]);
  const choose = useCallback((at: string) => setQuery({ at }, { replace: true }), []);
  const at = rows.findIndex(({ record_id }) => record_id === chosen);

  const move = (by: number) => {
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) choose(next.record_id);
  };
  const other = (by: number) => {
    const { ids } = rememberedList();
    const next = ids[ids.indexOf(id) + by];
    if (ids.includes(id) && next !== undefined) go(`/sessions/${next}`);
  };
  useKeys("Session", [
    { key: "j", does: "next request", run: () => move(1) },
    { key: "k", does: "request before", run: () => move(-1) },
    { key: "ArrowDown", does: "next request", run: () => move(1) },
    { key: "ArrowUp", does: "request before", run: () => move(-1) },
    { key: "]", does: "next session of the list", run: () => other(1) },
    { key: "[", does: "session before in the list", run: () => other(-1) },
    {
      key: "Escape",
      does: "back",
      run: () => (chosen === null ? go(rememberedList().url) : setQuery({ at: null })),
    },
  ]);

  if (session.isError && !session.data) {
    return <Failed error={session.error} retry={() => void session.refetch()} />;
  }
  const data = session.data;
  const request = rows[at];
  return (
    <div className={style.page}>
      <Header id={id} onOther={other} verdict={data?.verdict ?? null} />
      {data ? <Facts session={data} /> : <div className={`panel ${style.factsWait}`} />}
      <section className={`panel ${style.picture}`} aria-label="Timeline">
        <h2 className={style.title}>
          Timeline <span className="quiet">a mark per request; the higher, the slower</span>
          <Legend />
        </h2>
        {data && (
          <Timeline
            session={data}
            requests={rows}
            linked={linked}
            shows={shows}
            chosen={chosen}
            onChoose={choose}
          />
        )}
      </section>
      <InWords
        steps={steps}
        known={rows.length}
        all={data?.requests ?? rows.length}
        onPick={(first) => {
          const picked = rows[first];
          if (picked) choose(picked.record_id);
        }}
      />
      <div className={style.columns}>
        <section className={`panel ${style.requests}`} aria-label="Requests">
          {requests.isError && rows.length === 0 ? (
            <Failed error={requests.error} retry={() => void requests.refetch()} />
          ) : requests.isPending ? (
            <Bones rows={10} label="Requests are loading" />
          ) : (
            <RequestTable
              rows={rows}
              chosen={chosen}
              shows={shows}
              onChoose={choose}
              onEnd={() => {
                if (requests.hasNextPage && !requests.isFetching) void requests.fetchNextPage();
              }}
            />
          )}
        </section>
        <aside className={style.side}>
          {request ? (
            <Detail request={request} session={id} />
          ) : (
            data && (
              <div className={`panel ${style.detail}`}>
                {data.verdict != null && <VerdictCard id={data.verdict.id} onChoose={choose} />}
                <Related session={data} />
              </div>
            )
          )}
        </aside>
      </div>
      <Foot
        known={rows.length}
        all={data?.requests ?? rows.length}
        complete={!requests.hasNextPage && !requests.isFetching}
        onReload={() => void requests.refetch()}
      />
    </div>
  );
}

/** Requests that the evidence of the verdict names. */
function useShowing(verdict: string | undefined): Set<string> {
  const { data } = useQuery({ ...verdictQuery(verdict ?? ""), enabled: verdict !== undefined });
  return useMemo(() => {
    const records = data?.evidence.flatMap((evidence) => evidence.records) ?? [];
    return new Set(records.map(({ record_id }) => record_id));
  }, [data]);
}

function Legend() {
  return (
    <span className={style.legend} aria-hidden="true">
      <i className={style.ok} /> answered
      <i className={style.refused} /> 4xx
      <i className={style.failed} /> 5xx
    </span>
  );
}

interface FootProps {
  known: number;
  all: number;
  complete: boolean;
  onReload: () => void;
}

/** How much of it is here, and what came in since. */
function Foot({ known, all, complete, onReload }: FootProps) {
  const since = all - known;
  if (complete && since > 0) {
    return (
      <p className={style.foot}>
        <button type="button" className="button" onClick={onReload}>
          {since} more came in: show
        </button>
      </p>
    );
  }
  return (
    <p className={style.foot}>
      {complete ? `All ${known} requests` : `${known} of ${all} requests, more as you scroll`}
    </p>
  );
}
