// The list's rows: pages that are asked for as one scrolls, and what came in since.
import {
  keepPreviousData,
  useInfiniteQuery,
  useQuery,
  useQueryClient,
  type InfiniteData,
} from "@tanstack/react-query";
import { useMemo } from "react";
import { api, body } from "../api/client";
import { useAnewWhenOld } from "../api/oldCursor";
import type { Session, SessionPage } from "../api/schema";
import type { SessionQuery } from "../filter/url";

const PAGE_ROWS = 100;
const NEWS_MS = 4000;

function page(query: SessionQuery, cursor: string | null, signal: AbortSignal) {
  const asked = { ...query, limit: PAGE_ROWS, ...(cursor !== null && { cursor }) };
  return body(api.GET("/v1/sessions", { params: { query: asked }, signal }));
}

const listKey = (query: SessionQuery) => ["sessions", query];

/** The sessions as they were when the first page was asked for. */
export function useSessions(query: SessionQuery) {
  const queryKey = useMemo(() => listKey(query), [query]);
  const answer = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam, signal }) => page(query, pageParam, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next ?? null,
    placeholderData: keepPreviousData,
    staleTime: Infinity,
  });
  useAnewWhenOld(answer, queryKey);
  const rows = useMemo(() => unique(answer.data), [answer.data]);
  return { ...answer, rows };
}

/** A session that went on between two pages is shown once. */
function unique(data: InfiniteData<SessionPage> | undefined): Session[] {
  const seen = new Map<string, Session>();
  for (const { items } of data?.pages ?? []) {
    for (const item of items) if (!seen.has(item.session)) seen.set(item.session, item);
  }
  return [...seen.values()];
}

export interface News {
  /** Sessions that are not in the list yet. */
  fresh: number;
  /** Sessions in the list that went on. */
  went: number;
  /** The whole first page is new: there may be more. */
  more: boolean;
  /** Puts them into the list. */
  show: () => void;
}

/** What came in since; it waits until someone wants to see it. */
export function useNews(query: SessionQuery, rows: Session[], enabled: boolean): News {
  const client = useQueryClient();
  const { data } = useQuery({
    queryKey: ["news", query],
    queryFn: ({ signal }) => page(query, null, signal),
    refetchInterval: NEWS_MS,
    enabled,
    retry: false,
  });
  return useMemo(() => {
    const known = new Map(rows.map((row) => [row.session, row.requests]));
    const items = data?.items ?? [];
    const fresh = items.filter(({ session }) => !known.has(session)).length;
    const went = items.filter(
      ({ session, requests }) => requests > (known.get(session) ?? Infinity),
    ).length;
    const show = () => {
      if (data) client.setQueryData(listKey(query), { pages: [data], pageParams: [null] });
    };
    return { fresh, went, more: fresh >= PAGE_ROWS, show };
  }, [client, data, query, rows]);
}
