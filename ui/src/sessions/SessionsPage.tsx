// Which sessions were there: filter, table, and what came in while one reads.
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useKeys } from "../app/keys";
import { go, setQuery, usePlace } from "../app/router";
import { FilterTools } from "../filter/FilterTools";
import { asked, listState } from "../filter/url";
import { ExportMenu } from "../parts/ExportMenu";
import { DataTable } from "../table/DataTable";
import { plural } from "../words/number";
import { ColumnChooser } from "./ColumnChooser";
import { columnsFor } from "./columns";
import { Facets } from "./Facets";
import { useSessions, useNews, type News } from "./data";
import { rememberList } from "./list";
import style from "./Sessions.module.css";
import { SessionsState } from "./SessionsState";
import { When } from "./When";
import { useShownColumns } from "./useShownColumns";

/** What of these sessions can be taken along. */
const LISTS = [
  ["sessions", "Sessions"],
  ["requests", "Their requests"],
  ["visits", "Their visits"],
  ["users", "Their users"],
  ["sources", "Their addresses"],
] as const;

export default function SessionsPage() {
  const { query } = usePlace();
  const state = useMemo(() => listState(query), [query]);
  const { words, last, sort } = state;
  const isLive = query.get("live") === "1";
  const chosen = query.get("at");
  const question = useMemo(() => asked(state), [state]);
  const sessions = useSessions(question);
  const { rows, fetchNextPage, hasNextPage, isFetchingNextPage } = sessions;
  const isLatest = sort === "last" && sessions.isSuccess && !sessions.isPlaceholderData;
  const news = useNews(question, rows, isLatest);
  const [shown, setShown] = useShownColumns();
  const columns = useMemo(() => columnsFor(shown), [shown]);

  const hasFacets = query.get("values") !== "0";
  const flipFacets = () => setQuery({ values: hasFacets ? "0" : null }, { replace: true });

  useLive(isLive, news);
  const choose = useCallback((key: string) => setQuery({ at: key }, { replace: true }), []);
  const open = (id: string) => {
    rememberList(
      rows.map(({ session }) => session),
      window.location.pathname + window.location.search,
    );
    choose(id);
    go(`/sessions/${id}`);
  };
  const move = (by: number) => {
    const at = rows.findIndex(({ session }) => session === chosen);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) choose(next.session);
  };
  useKeys("Sessions", [
    { key: "j", does: "next session", run: () => move(1) },
    { key: "k", does: "session before", run: () => move(-1) },
    { key: "ArrowDown", does: "next session", run: () => move(1) },
    { key: "ArrowUp", does: "session before", run: () => move(-1) },
    { key: "Enter", does: "open the session", run: () => chosen !== null && open(chosen) },
    { key: "n", does: "show what is new", run: news.show },
    { key: "f", does: "show or hide values and their shares", run: flipFacets },
    { key: "l", does: "live on or off", run: () => setQuery({ live: isLive ? null : "1" }) },
    {
      key: "Escape",
      does: "choose none",
      run: () => setQuery({ at: null }, { replace: true }),
    },
  ]);
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetchingNextPage]);
  const setWords = (wanted: string[]) => setQuery({ q: wanted.join(" "), at: null });

  return (
    <div className={style.page}>
      <h1 className="unseen">Sessions</h1>
      <FilterTools state={state} q={question.q}>
        <button
          type="button"
          className={isLive ? `button ${style.live}` : "button"}
          aria-pressed={isLive}
          title="New sessions come in by themselves (l)"
          onClick={() => setQuery({ live: isLive ? null : "1" })}
        >
          <span className={style.lamp} aria-hidden="true" /> Live
        </button>
        <button
          type="button"
          className="button"
          aria-pressed={hasFacets}
          title="Values and their shares (f)"
          onClick={flipFacets}
        >
          {hasFacets ? "Hide values" : "Values"}
        </button>
        <ColumnChooser shown={shown} onChange={setShown} />
        <ExportMenu lists={LISTS} q={question.q} />
      </FilterTools>
      <div className={style.columns}>
        {hasFacets && <Facets q={question.q} />}
        <div className={style.main}>
          <When q={question.q} words={words} />
          <section className={`panel ${style.table}`} aria-label="Sessions">
            {rows.length > 0 ? (
              <DataTable
                label="Sessions"
                rows={rows}
                columns={columns}
                rowKey={({ session }) => session}
                chosen={chosen}
                onChoose={choose}
                onOpen={({ session }) => open(session)}
                onEnd={onEnd}
                dimmed={sessions.isPlaceholderData}
                sort={sort}
                onSort={(by) => setQuery({ sort: by === "last" ? null : by, at: null })}
              />
            ) : (
              <SessionsState
                pending={sessions.isPending}
                error={sessions.error}
                retry={() => void sessions.refetch()}
                words={words}
                last={last}
                onWords={setWords}
              />
            )}
          </section>
        </div>
      </div>
      <p className={style.foot}>
        {rows.length > 0 && (
          <span>
            {hasNextPage
              ? `${plural(rows.length, "session")}, more below`
              : `All ${plural(rows.length, "session")}`}
            {sessions.isError && (
              <span className="bad"> · the last question failed: {sessions.error.message}</span>
            )}
          </span>
        )}
        {!isLive && <NewsButton news={news} />}
        <span className={style.keys}>
          <kbd>j</kbd> <kbd>k</kbd> move <kbd>enter</kbd> open <kbd>/</kbd> filter <kbd>?</kbd> all
          keys
        </span>
      </p>
    </div>
  );
}

/** In live mode news are shown as they come. */
function useLive(isLive: boolean, news: News) {
  const shown = useRef(news);
  useEffect(() => {
    shown.current = news;
  });
  const amount = news.fresh + news.went;
  useEffect(() => {
    if (isLive && amount > 0) shown.current.show();
  }, [isLive, amount]);
}

function NewsButton({ news }: { news: News }) {
  const [wasShown, setShown] = useState(false);
  const { fresh, went } = news;
  if (fresh + went === 0) return null;
  const parts = [
    fresh > 0 && `${fresh}${news.more ? "+" : ""} new`,
    went > 0 && `${went} went on`,
  ].filter(Boolean);
  return (
    <button
      type="button"
      className={style.news}
      aria-live={wasShown ? "off" : "polite"}
      onClick={() => {
        setShown(true);
        news.show();
      }}
    >
      {parts.join(", ")} <kbd>n</kbd>
    </button>
  );
}
