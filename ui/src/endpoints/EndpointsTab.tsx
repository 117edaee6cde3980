import { useCallback } from "react";
import type { EndpointPage } from "../api/schema";
import { useKeys } from "../app/keys";
import { go, setQuery, usePlace } from "../app/router";
import { Bones, Empty, Failed } from "../parts/State";
import { DataTable } from "../table/DataTable";
import { plural } from "../words/number";
import { COLUMNS } from "./columns";
import { useEndpoints } from "./data";
import style from "./Endpoints.module.css";

export function EndpointsTab({ q }: { q: string | undefined }) {
  const { query } = usePlace();
  const sort = query.get("sort") ?? "requests";
  const chosen = query.get("at");
  const mark = query.get("mark");
  const endpoints = useEndpoints({ q, sort, mark });
  const { rows, hasNextPage, isFetching, fetchNextPage } = endpoints;
  const choose = useCallback((at: string) => setQuery({ at }, { replace: true }), []);
  const open = (id: string) => {
    const last = query.get("last");
    go(`/endpoints/${id}${last === null ? "" : `?last=${last}`}`);
  };
  const move = (by: number) => {
    const at = rows.findIndex(({ id }) => id === chosen);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
    if (next) choose(next.id);
  };
  useKeys("Endpoints", [
    { key: "j", does: "next endpoint", run: () => move(1) },
    { key: "k", does: "endpoint before", run: () => move(-1) },
    { key: "ArrowDown", does: "next endpoint", run: () => move(1) },
    { key: "ArrowUp", does: "endpoint before", run: () => move(-1) },
    { key: "Enter", does: "open the endpoint", run: () => chosen !== null && open(chosen) },
  ]);
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  if (endpoints.isError && rows.length === 0) {
    return <Failed error={endpoints.error} retry={() => void endpoints.refetch()} />;
  }
  if (endpoints.isPending) return <Bones rows={16} label="Endpoints are loading" />;
  if (rows.length === 0 && mark !== null) return <NoneMarked mark={mark} />;
  if (rows.length === 0) {
    return (
      <Empty
        title="No request in this time that fits the filter"
        actions={
          <button
            type="button"
            className="button"
            onClick={() => setQuery({ q: null, last: "all" })}
          >
            All endpoints, over all time
          </button>
        }
      />
    );
  }
  const first = endpoints.data?.pages[0];
  return (
    <>
      <section className={`panel ${style.table}`} aria-label="Endpoints">
        <DataTable
          label="Endpoints"
          rows={rows}
          columns={COLUMNS}
          rowKey={({ id }) => id}
          chosen={chosen}
          onChoose={choose}
          onOpen={({ id }) => open(id)}
          onEnd={onEnd}
          dimmed={endpoints.isPlaceholderData}
          sort={sort}
          onSort={(by) => setQuery({ sort: by === "requests" ? null : by, at: null })}
        />
      </section>
      <p className={style.foot}>
        {plural(first?.count ?? rows.length, "endpoint")}, from the OpenAPI document where there is
        one, else learnt from the paths that were answered
        {first && !first.extent.exact && ` · ${estimated(first)} are estimated from a sample`}
      </p>
    </>
  );
}

function estimated({ requests_exact }: EndpointPage): string {
  return requests_exact ? "sessions and shares of bots" : "counts";
}

const WHY: Record<string, [string, string]> = {
  new: ["No endpoint is new", "Each was asked for before the last seven days, or all began then."],
  undocumented: [
    "Nothing is undocumented",
    "Every endpoint is an operation of its application's document, or there is no document.",
  ],
  unused: [
    "Nothing is unused",
    "Every operation of the documents was asked for in this time, or there is no document.",
  ],
};

/** A good answer, mostly: say what it rests on. */
function NoneMarked({ mark }: { mark: string }) {
  const [title, about] = WHY[mark] ?? ["No endpoint has this mark", ""];
  return (
    <Empty
      title={title}
      actions={
        <button type="button" className="button" onClick={() => setQuery({ mark: null })}>
          All endpoints
        </button>
      }
    >
      <p>{about}</p>
    </Empty>
  );
}
