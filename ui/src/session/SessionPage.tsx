// One session: who, what happened, in which order, and why it is one.
import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { Failed, Bones } from "../parts/State";
import { useKeys } from "../app/keys";
import type { PageProps } from "../app/pages";
import { go, setQuery, usePlace } from "../app/router";
import { rememberedList } from "../sessions/list";
import type { VerdictWithEvidence } from "../api/schema";
import { verdictQuery } from "../verdict/data";
import { VerdictCard } from "../verdict/VerdictCard";
import { count, plural } from "../words/number";
import { sequence } from "../words/sequence";
import { useLinked, useRequests, useSession } from "./data";
import { Detail } from "./Detail";
import { Facts } from "./Facts";
import { Header } from "./Header";
import { InWords } from "./InWords";
import { NoteLine } from "./NoteLine";
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
  // What is drawn and told of a very long session is its beginning; the table has all of it.
  const { rows, beginning } = requests;
  const verdict = useVerdict(session.data?.verdict?.id);
  const shows = useMemo(() => showing(verdict), [verdict]);
  const steps = useMemo(() => sequence(beginning), [beginning]);
  const choose = useCallback((at: string) => setQuery({ at }, { replace: true }), []);
  const pick = useCallback(
    (first: number) => {
      const picked = beginning[first];
      if (picked) choose(picked.record_id);
    },
    [beginning, choose],
  );
  const at = chosen === null ? -1 : rows.findIndex(({ record_id }) => record_id === chosen);
  const close = () => setQuery({ at: null }, { replace: true });

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
      run: () => (chosen === null ? go(rememberedList().url) : close()),
    },
  ]);

  const { hasNextPage, isFetching, fetchNextPage } = requests;
  const more = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);

  if (session.isError && !session.data) {
    return <Failed error={session.error} retry={() => void session.refetch()} />;
  }
  const data = session.data;
  const request = rows[at];
  return (
    <div className={style.page}>
      <Header id={id} onOther={other} session={data} />
      {data && <NoteLine session={data} />}
      {data ? <Facts session={data} /> : <div className={`panel ${style.factsWait}`} />}
      <section className={`panel ${style.picture}`} aria-label="Timeline">
        <h2 className={style.title}>
          Timeline <span className="quiet">a mark per request; the higher, the slower</span>
          <Legend />
        </h2>
        {data && (
          <Timeline
            session={data}
            requests={beginning}
            linked={linked}
            shows={shows}
            verdict={verdict}
            chosen={chosen}
            onChoose={choose}
          />
        )}
      </section>
      <InWords
        steps={steps}
        known={beginning.length}
        all={data?.requests ?? beginning.length}
        onPick={pick}
      />
      <div className={style.columns}>
        <div className={style.main}>
          <section className={`panel ${style.requests}`} aria-label="Requests">
            {requests.isError && rows.length === 0 ? (
              <Failed error={requests.error} retry={() => void requests.refetch()} />
            ) : requests.isPending ? (
              <Bones rows={10} label="Requests are loading" />
            ) : (
              <RequestTable
                rows={rows}
                beginning={beginning}
                chosen={chosen}
                shows={shows}
                onChoose={choose}
                onEnd={more}
              />
            )}
          </section>
          {request && <Detail request={request} onClose={close} />}
        </div>
        <aside className={`panel ${style.side}`} aria-label="Why, and what belongs to it">
          {data?.verdict != null && <VerdictCard id={data.verdict.id} onChoose={choose} />}
          {data && <Related session={data} />}
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

function useVerdict(id: string | undefined): VerdictWithEvidence | null {
  const { data } = useQuery({ ...verdictQuery(id ?? ""), enabled: id !== undefined });
  return data ?? null;
}

/** Requests that the evidence of the verdict names. */
function showing(verdict: VerdictWithEvidence | null): Set<string> {
  const records = verdict?.evidence.flatMap((evidence) => evidence.records) ?? [];
  return new Set(records.map(({ record_id }) => record_id));
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
          {count(since)} more came in: show
        </button>
      </p>
    );
  }
  return (
    <p className={style.foot}>
      {complete
        ? `All ${plural(known, "request")}`
        : `${count(known)} of ${plural(all, "request")}, more as you scroll`}
    </p>
  );
}
